"""Metrics by name, and the predictions that they are computed from."""
