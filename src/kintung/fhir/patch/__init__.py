"""Patches: changes of a resource, said as operations on its text."""

from kintung.fhir.patch.fhirpath_patch import apply_fhirpath_patch, parse_fhirpath_patch
from kintung.fhir.patch.json_patch import apply_json_patch, parse_json_patch

__all__ = ["apply_fhirpath_patch", "apply_json_patch", "parse_fhirpath_patch", "parse_json_patch"]
