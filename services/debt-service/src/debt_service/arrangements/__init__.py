"""What was agreed or must be respected: cash and recovery both look here before they act."""
