"""Market sectors: the kinds of supplier the council buys from."""
