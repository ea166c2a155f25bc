"""A run of the stages, and when its results are reused."""
