"""The steps that follow a debt that is not paid: procedures, and the runs that issue their notices."""
