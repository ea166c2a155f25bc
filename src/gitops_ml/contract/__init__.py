"""Validation by the data contract: violations, checks beyond it, its export."""
