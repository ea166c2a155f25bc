"""One check of production: data, performance, alarms, retraining."""
