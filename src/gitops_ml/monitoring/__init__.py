"""Production, watched."""
