"""Rebate variances: deductions that differ from what was earned, with their cause and owner."""
