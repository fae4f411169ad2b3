"""What is Bacs's and nobody's in particular: calendar, reason codes, masks; no database, no HTTP."""
