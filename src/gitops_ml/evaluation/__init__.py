"""Evaluation on the test part: metrics with intervals, slices, curves, permutation importance."""
