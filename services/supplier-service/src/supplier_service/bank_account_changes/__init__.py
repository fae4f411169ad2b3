"""Bank-account changes: the case that must be won before a supplier is paid elsewhere."""
