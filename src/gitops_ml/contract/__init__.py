"""The data contract applied: violations, checks beyond it, its export."""
