"""The HTTP edge: the FHIR API over one registry of interactions, and what else a node serves."""
