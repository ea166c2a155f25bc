"""The model lifecycle, one module a stage, in the order the data flows."""
