"""The language: FHIR R4 as plain data. Pure; knows no jurisdiction, does no I/O but its own artefacts."""
