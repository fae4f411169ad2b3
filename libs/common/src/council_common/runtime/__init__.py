"""What a running service holds: settings, database, token verifier, clients of the other services."""
