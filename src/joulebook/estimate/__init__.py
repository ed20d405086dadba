"""Energy where nobody metered it, always a range."""
