"""Money that came in, and what it pays."""
