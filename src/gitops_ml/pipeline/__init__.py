"""One run through the stages, and when it is needed."""
