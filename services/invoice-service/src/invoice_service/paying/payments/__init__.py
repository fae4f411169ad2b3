"""Payments of invoices, whole or in parts, and those that came back."""
