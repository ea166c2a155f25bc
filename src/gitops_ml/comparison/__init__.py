"""Champion against challenger: differences, gates, verdict."""
