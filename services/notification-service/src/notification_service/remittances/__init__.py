"""Remittance advices: a payment and the rebate it earned, joined."""
