"""What HL7's PHD guide adds to R4, as rows. Codes: the catalogue, by MDC and LOINC."""

from adapters.fhir.terms import all_measures
from fhir_profiles.canonical import MDC

MEASURES = all_measures((MDC,))
SUPPLEMENTAL_TYPES = (MDC, "68193")
"""MDC_ATTR_SUPPLEMENTAL_TYPES: a component that describes the measurement beside it, such as a stable mean."""
