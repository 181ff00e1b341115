"""What IDCO means, as rows. Codes and units: adapters/hl7v2 and the catalogue (measures/cied.json)."""

from adapters.hl7v2.terms import ALL_MEASURES
from fhir_profiles.catalogue import MEASURES as CATALOGUE

MESSAGE_TYPE = ("ORU", "R01")
MEASURES = tuple(key for key in ALL_MEASURES if not CATALOGUE[key].sampled and not CATALOGUE[key].components)
"""A row is a number or a code: no strip, and no part of a measure that consists of several."""
NUMERIC_TYPES = frozenset({"NM", "SN"})
DOCUMENT_TYPES = frozenset({"ED", "RP"})

REPORT_MEASURE = "cied-report"
REPORT_CODE = ("18750-0", "LN")
REPORT_WORDS = frozenset({REPORT_CODE})
"""Number and coding system of OBX-3: Cardiac Electrophysiology Report, the one that messages in the field use for an interrogation."""
MEDIA_TYPE = "application/pdf"
MAGIC = b"%PDF-"
ENCODING = "Base64"
"""ED.4, HL7 table 0299."""
PDF_WORDS = frozenset(
    {("application", "pdf"), ("ap", "pdf"), ("", "pdf"), ("application/pdf", "pdf"), ("application/pdf", ""), ("pdf", "")}
)
"""ED.2 and ED.3 in small letters (HL7 tables 0191 and 0291). The last is `Application^PDF^^Base64`, where a maker left out ED.1."""
