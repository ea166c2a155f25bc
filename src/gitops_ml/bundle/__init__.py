"""The bundle: what is deployed, written, verified and loaded."""
