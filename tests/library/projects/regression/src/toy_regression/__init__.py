"""Prices of houses, those of a street together: a toy project with a number to predict."""
