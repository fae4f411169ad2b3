"""Reasons not to send notices: typed, owned, with a review day and a last day."""
