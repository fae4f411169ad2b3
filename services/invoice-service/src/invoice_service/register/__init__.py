"""What is owed to suppliers: what we know of them, and their invoices from receipt to settlement."""
