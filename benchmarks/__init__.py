"""How fast, against what the parts can do, measured in the same run: `make bench`."""
