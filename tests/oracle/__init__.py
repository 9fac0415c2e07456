"""An independent oracle for searches: plain Python over raw JSON, slow and obviously right.

It is written from the FHIR R4 text and ``docs/explanation/spec-readings.md`` and imports
nothing of the product, so that an error must be made twice before a test misses it.
``search`` answers searches, ``counts`` answers a fixed list of them by loops of its own.
"""
