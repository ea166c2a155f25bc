"""Flights, late or not: a toy project with a class of two."""
