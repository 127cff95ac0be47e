"""A program that does nothing, for the cost of starting it."""
