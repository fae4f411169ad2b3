"""Credit notes set against invoices, before they were paid or afterwards, or refunded."""
