"""What one caller can learn of what another's record holds: nothing.

Two worlds are built alike, but for what is hidden from one reader; every request of that
reader must be answered alike in both. See ``docs/explanation/threat-model.md``.
"""
