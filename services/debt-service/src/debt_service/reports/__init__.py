"""What is owed, by age and by account, at any date."""
