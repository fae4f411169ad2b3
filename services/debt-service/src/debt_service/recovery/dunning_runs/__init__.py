"""Dunning runs: proposed, looked at, approved, issued; and the notices they issue."""
