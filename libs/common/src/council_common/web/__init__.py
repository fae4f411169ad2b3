"""What every HTTP surface of the platform has in common."""
