"""FHIRPath, as far as the language of the record needs it."""
