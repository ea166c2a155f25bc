"""Metrics by name, and what they are computed from."""
