"""HL7 CardX CIED as rows: which components say when others were measured. Codes: the catalogue, by IEEE 11073-10103."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import MEASURES as CATALOGUE

INSTANCE = "http://hl7.org/fhir/uv/cardx-cied/StructureDefinition/instance-idco"
"""Which lead, zone, episode or battery, where an implant has several."""
MEASURES = tuple(sorted(key for key, row in CATALOGUE.items() if key.startswith("cied-") and not row.document))


@dataclass(frozen=True, slots=True)
class Times:
    """The codes of the components that say when measurements began and ended; `end` may be none."""

    start: str
    end: str | None = None


TIMES: Mapping[str, Times] = MappingProxyType(
    {
        "MDC_IDC_MSMT_BATTERY_": Times("721216"),
        "MDC_IDC_MSMT_CAP_": Times("721664"),
        "MDC_IDC_MSMT_LEADCHNL_RA_": Times("721921", "721922"),
    }
)
"""Beginning of the reference identifier of what was measured -> when: MDC_IDC_MSMT_BATTERY_DTM, MDC_IDC_MSMT_CAP_CHARGE_DTM,
MDC_IDC_MSMT_LEADCHNL_RA_DTM_START and _END. Settings have the time of the interrogation."""
SILENT = frozenset((MDC, code) for row in TIMES.values() for code in (row.start, row.end) if code is not None)
