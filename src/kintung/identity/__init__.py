"""Who is who: the identifiers and names of people, and which records are one person."""
