"""Long work: files, runs and packs of minutes, done slice by slice behind a 202 (docs/decisions/0011-long-work.md)."""
