"""Supplier invoices from receipt to payment."""
