"""The branch production: promotion, rollback, status."""
