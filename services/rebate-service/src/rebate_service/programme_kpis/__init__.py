"""Programme KPIs: expected against earned against deducted against missed."""
