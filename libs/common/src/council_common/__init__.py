"""What every service shares: machinery that knows no service, and the contracts of the events between them."""
