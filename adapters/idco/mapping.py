"""What IDCO means, as rows. Codes and units: adapters/hl7v2 and the catalogue (measures/cied.json)."""

MESSAGE_TYPE = ("ORU", "R01")
NUMERIC_TYPES = frozenset({"NM", "SN"})
DOCUMENT_TYPES = frozenset({"ED", "RP"})
