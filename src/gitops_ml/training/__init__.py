"""Candidates to challenger."""
