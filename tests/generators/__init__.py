"""Seeded generators: small valid resources, and searches over what a corpus really holds.

They import nothing of the product; the same seed gives the same data everywhere.
"""
