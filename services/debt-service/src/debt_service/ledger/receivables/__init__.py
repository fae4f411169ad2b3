"""Money owed to the council, from invoice to settlement."""
