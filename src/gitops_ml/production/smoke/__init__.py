"""The smoke test of a package."""
