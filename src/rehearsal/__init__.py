"""Plays the life of a baked project on one machine."""
