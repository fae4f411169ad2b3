"""What was said, to whom, when, and what became of it."""
