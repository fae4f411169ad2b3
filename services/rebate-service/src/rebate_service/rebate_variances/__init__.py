"""Rebate variances: deductions that differ from what was earned, each with a cause and an owner."""
