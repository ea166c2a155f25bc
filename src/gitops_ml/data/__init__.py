"""Data sources, the lock of accepted files, loading, and the split into training and test part."""
