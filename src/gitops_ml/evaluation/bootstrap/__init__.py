"""The bootstrap: weighted, paired, vectorised."""
