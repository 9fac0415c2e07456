"""Measurements: ``make bench``. Each row checks its answer before it reports a time."""
