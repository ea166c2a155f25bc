"""A model and its lifecycle."""
