"""Rebate quotes: what a payment would earn, with the arithmetic; nothing is stored."""
