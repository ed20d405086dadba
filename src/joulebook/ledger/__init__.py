"""What we said, when, and with which factors."""
