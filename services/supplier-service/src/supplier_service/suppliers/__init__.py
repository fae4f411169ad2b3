"""Suppliers: who the council pays, and whether it may at the moment."""
