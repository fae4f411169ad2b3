"""The whole platform on one machine, from the same parts that production uses."""
