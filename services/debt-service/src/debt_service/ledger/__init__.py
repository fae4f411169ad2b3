"""What is owed, and the books that prove it: customers, receivables, the journal, the control account."""
