"""Parcels, early, on time or late: a toy project with a class of three."""
