"""The steward's pages: the pairs that wait, records by name, a pair side by side, what is decided of it."""
