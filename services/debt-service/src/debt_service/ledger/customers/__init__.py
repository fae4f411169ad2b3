"""Who owes: people, traders, businesses and public bodies, and how they want to be written to."""
