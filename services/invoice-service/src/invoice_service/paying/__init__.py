"""Money that leaves for suppliers, and money that comes back."""
