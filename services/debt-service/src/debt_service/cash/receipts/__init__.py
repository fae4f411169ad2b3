"""Money received, and what it was set against."""
