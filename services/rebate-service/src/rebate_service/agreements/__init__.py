"""Agreements: what a supplier and the council agreed about early payment, version after version."""
