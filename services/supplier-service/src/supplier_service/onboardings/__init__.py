"""Onboardings: how a supplier comes on to the early payment programme, or does not."""
