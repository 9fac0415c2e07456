"""Linking a whole node, or files, at once: Splink on DuckDB over the features that matching compares.

Needs the extra ``linkage``. ``settings`` holds what Splink is told, for DuckDB and for Spark.
"""
