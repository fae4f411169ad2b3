"""Rebates: what an invoice is expected to earn, and what its payments earned."""
