"""What the SQLite and PostgreSQL adapters share: tables, statements, commit, reading."""
