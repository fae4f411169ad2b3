"""Aids for tests of services: a service on a real database that is rolled back, and an issuer of tokens."""
