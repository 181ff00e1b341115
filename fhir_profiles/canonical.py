"""The addresses that appear in our FHIR: code systems of others, and the one base of our own definitions.

Our base stands under a top-level domain that is reserved and never resolves (RFC 2606 section 2): the definitions are
found in `structure_definitions/`, nobody else's name is borrowed, and no reader is sent to a page that does not exist.
"""

from typing import Final

BASE: Final = "http://hds-hub.invalid/fhir"

REPLACES: Final = f"{BASE}/StructureDefinition/replaces"
REPLACED_BY: Final = f"{BASE}/StructureDefinition/replaced-by"
ORIGINAL_VALUE: Final = f"{BASE}/StructureDefinition/original-value"
MEASUREMENT_QUALITY: Final = f"{BASE}/StructureDefinition/measurement-quality"
DEVICE_USER_INDEX: Final = f"{BASE}/StructureDefinition/device-user-index"
QUALITY_SYSTEM: Final = f"{BASE}/CodeSystem/measurement-quality"
MEASURE_SYSTEM: Final = f"{BASE}/CodeSystem/measure"
METHOD_SYSTEM: Final = f"{BASE}/CodeSystem/measurement-method"

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
DATA_ABSENT_REASON: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OBSERVATION_REPLACES: Final = "http://hl7.org/fhir/StructureDefinition/observation-replaces"
BODY_POSITION: Final = "http://hl7.org/fhir/StructureDefinition/observation-bodyPosition"
