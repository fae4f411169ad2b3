"""supplier-service: see the README beside its pyproject."""
