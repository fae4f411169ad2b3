"""Envoy's own configuration, for one machine and for containers."""
