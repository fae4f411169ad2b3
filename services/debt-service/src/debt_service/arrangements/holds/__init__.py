"""Reasons not to write: typed, owned, dated (receivables.md §1.5 D3)."""
