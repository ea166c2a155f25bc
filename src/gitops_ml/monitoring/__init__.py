"""Production, watched."""

# Its rooms share their templates.
TEMPLATES = __name__
