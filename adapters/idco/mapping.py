"""What IDCO means, as rows. Codes and units: adapters/hl7v2 and the catalogue (measures/cied.json)."""

from adapters.hl7v2.terms import ALL_MEASURES
from fhir_profiles.catalogue import MEASURES as CATALOGUE

MESSAGE_TYPE = ("ORU", "R01")
MEASURES = tuple(key for key in ALL_MEASURES if not CATALOGUE[key].sampled and not CATALOGUE[key].components)
"""A row is a number or a code: no strip, and no part of a measure that consists of several."""
NUMERIC_TYPES = frozenset({"NM", "SN"})
DOCUMENT_TYPES = frozenset({"ED", "RP"})
