"""What we know of suppliers: a projection of supplier-service's facts."""
