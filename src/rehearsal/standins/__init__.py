"""Programs that stand in for CML and for the marketplace's actions on the rehearsal's runner."""
