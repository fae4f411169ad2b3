"""What has to hold when the work is done; every line is two figures from two places that must be the same."""
