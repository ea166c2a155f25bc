"""The static pages about production."""
