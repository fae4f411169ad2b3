"""Files of invoices as they come in."""
