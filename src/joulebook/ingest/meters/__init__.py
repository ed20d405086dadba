"""Records of other meters: what they measured is kept as measured, what they assumed is told apart."""
