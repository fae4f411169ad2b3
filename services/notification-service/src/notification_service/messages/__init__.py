"""What was written, to whom, when, and what became of it."""
