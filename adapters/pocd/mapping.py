"""What HL7's Point of Care Devices guide says with codes of IEEE 11073: the catalogue has them."""

from adapters.fhir.terms import all_measures
from fhir_profiles.canonical import MDC

MEASURES = all_measures((MDC,))
