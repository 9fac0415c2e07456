"""Kintung's tests; the folders say what a test needs and what it proves (CONTRIBUTING.md)."""
