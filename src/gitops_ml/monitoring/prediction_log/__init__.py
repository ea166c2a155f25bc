"""The prediction log, read."""
