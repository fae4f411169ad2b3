"""The double-entry journal: every money fact is one balanced entry, added once and never changed."""
