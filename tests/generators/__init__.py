"""Seeded generators of valid FHIR data: the same seed gives the same data everywhere.

``resources`` (small, hard to search) and ``searches`` (over what a corpus really holds)
import nothing of the product, as the oracle does not.
"""
