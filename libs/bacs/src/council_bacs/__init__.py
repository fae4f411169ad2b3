"""What is Bacs's: processing calendar, arrival days, reason codes, account formats and masks; no database, no HTTP."""
