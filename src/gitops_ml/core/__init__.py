"""What every other room needs: the project, its settings, the records, errors, Git, formatting."""
