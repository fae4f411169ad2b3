"""The ladders: which notice after how many days, as dated data."""
