"""MLflow: runs and registry."""
