"""Patches as pure functions: a resource and a patch in, a new resource out, or PatchError with the operation that failed.

    json_patch(resource, operations)       RFC 6902, https://hl7.org/fhir/R4/http.html#patch
    fhirpath_patch(resource, parameters)   https://hl7.org/fhir/R4/fhirpatch.html

Resources are parsed JSON with the digits kept. What was given is never changed, all operations are carried out or none,
and no error repeats a value. Whether the result is a resource of the same type and id, and valid, is for the caller to see.
"""

from fhir_profiles.patch.error import PatchError, PatchFault
from fhir_profiles.patch.fhirpath_patch import fhirpath_patch
from fhir_profiles.patch.json_patch import json_patch

__all__ = ["PatchError", "PatchFault", "fhirpath_patch", "json_patch"]
