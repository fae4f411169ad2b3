"""Dunning runs: proposed, reviewed, approved, issued; and the notices they issue."""
