"""Who shares keys with whom is asked for: what counts, for every store."""

MOST_SHARING = 32
"""Patients that the reader sees with one key; of more, it says of nobody who it is."""
