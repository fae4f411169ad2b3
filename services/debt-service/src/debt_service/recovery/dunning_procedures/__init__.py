"""The ladders: which letter after how many days, as dated data."""
