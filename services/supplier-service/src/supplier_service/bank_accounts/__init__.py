"""Bank accounts: one a supplier at a time, never edited, superseded by the next."""
