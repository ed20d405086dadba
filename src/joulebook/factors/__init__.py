"""The numbers the world gives us: dated, sourced, with a range."""
