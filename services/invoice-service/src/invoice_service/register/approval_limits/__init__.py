"""Approval limits: how much a role may approve, from a day to a day."""
