"""Measurements against a fast local server; `make bench` runs them all."""
