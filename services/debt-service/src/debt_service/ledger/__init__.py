"""What is owed and what the books say of it: customers, receivables, the journal, the control account."""
