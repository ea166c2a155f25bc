"""``mlops``: parse, call, print."""
