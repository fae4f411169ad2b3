"""Notes: what an officer writes down about a supplier, an invoice, a customer or a receivable, once and for good."""
