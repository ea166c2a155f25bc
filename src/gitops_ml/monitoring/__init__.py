"""Watching production: drift, live performance, the service, and when to retrain."""
