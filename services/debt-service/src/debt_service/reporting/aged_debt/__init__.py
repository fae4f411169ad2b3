"""What is owed at any day, by age."""
