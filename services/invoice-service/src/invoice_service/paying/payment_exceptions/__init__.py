"""Payments that broke a rule when the paying system made them: found, worked on, resolved."""
