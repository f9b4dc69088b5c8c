"""Whose word a value is, what may be believed, and what it means to trust a file."""
