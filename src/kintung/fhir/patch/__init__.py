"""Patches: changes of a resource, said as operations on its text."""

from kintung.fhir.patch.json_patch import apply_json_patch, parse_json_patch

__all__ = ["apply_json_patch", "parse_json_patch"]
