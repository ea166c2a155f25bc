"""What people read of a run: report, page, model card, lines on the console."""
