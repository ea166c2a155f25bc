"""Readers of the prediction log that the service writes."""
