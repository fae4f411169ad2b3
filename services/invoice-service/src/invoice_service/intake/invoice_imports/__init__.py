"""Whole files of invoices: received, read line by line, refused lines kept."""
