"""Rebate quotes: what a payment would earn, with the whole sum; nothing is stored."""
