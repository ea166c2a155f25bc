"""What ``mlops`` can do, by what it is about."""
