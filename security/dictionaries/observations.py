"""Templates of Observations: as the hub builds them from readings, and as other systems write them.

https://hl7.org/fhir/R4/observation.html, https://hl7.org/fhir/R4/observation-vitalsigns.html; codes of DEVICES 2.12. The rows
stand beside the measure catalogue, not in its place: a dictionary is trained once and kept, the catalogue goes on. What
has no row here is compressed a little less well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from security.dictionaries.samples import Template

LOINC: Final = "http://loinc.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
UCUM: Final = "http://unitsofmeasure.org"
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem/"
BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
OWN: Final = "http://hds-hub.invalid/fhir/"

Codes = tuple[tuple[str, str, str], ...]
"""(system, code, display)"""


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. `unit`: UCUM code and text; `amount`: a number marker; `profile`: of R4, where there is one."""

    text: str
    codes: Codes
    unit: tuple[str, str]
    amount: str
    profile: str | None = None
    category: str = "vital-signs"


def _loinc(code: str, display: str) -> Codes:
    return ((LOINC, code, display),)


def _mdc(code: str, display: str) -> Codes:
    return ((MDC, code, display),)


HEART_RATE: Final = _loinc("8867-4", "Heart rate")
PER_MINUTE: Final = ("/min", "beats/min")
MMHG: Final = ("mm[Hg]", "mmHg")
KG: Final = ("kg", "kg")
PERCENT: Final = ("%", "%")
CELSIUS: Final = ("Cel", "°C")
MG_DL: Final = ("mg/dL", "mg/dL")
MMOL_L: Final = ("mmol/L", "mmol/L")
SATURATION: Final = "Oxygen saturation in Arterial blood"
INTERSTITIAL: Final = "Glucose in interstitial fluid"
CAPILLARY: Final = "Glucose in capillary blood"
ISF: Final = _mdc("160212", "MDC_CONC_GLU_ISF")
WHOLE_BLOOD: Final = _mdc("160184", "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD")

PANEL: Final = Row(
    "Blood pressure",
    _loinc("85354-9", "Blood pressure panel with all children optional") + _mdc("150020", "MDC_PRESS_BLD_NONINV"),
    MMHG,
    "",
    "bp",
)
COMPONENTS: Final = (
    Row(
        "Systolic blood pressure",
        _loinc("8480-6", "Systolic blood pressure") + _mdc("150021", "MDC_PRESS_BLD_NONINV_SYS"),
        MMHG,
        "§number:85-210",
    ),
    Row(
        "Diastolic blood pressure",
        _loinc("8462-4", "Diastolic blood pressure") + _mdc("150022", "MDC_PRESS_BLD_NONINV_DIA"),
        MMHG,
        "§number:45-120",
    ),
    Row(
        "Mean blood pressure", _loinc("8478-0", "Mean blood pressure") + _mdc("150023", "MDC_PRESS_BLD_NONINV_MEAN"), MMHG, "§number:60-150"
    ),
)
ROWS: Final = (
    Row("Heart rate", HEART_RATE + _mdc("149546", "MDC_PULS_RATE_NON_INV"), PER_MINUTE, "§number:40-190", "heartrate"),
    Row("Heart rate from ECG", HEART_RATE + _mdc("147842", "MDC_ECG_HEART_RATE"), PER_MINUTE, "§number:40-190", "heartrate"),
    Row("Pulse rate from oximeter", HEART_RATE + _mdc("149530", "MDC_PULS_OXIM_PULS_RATE"), PER_MINUTE, "§number:40-190", "heartrate"),
    Row("Body weight", _loinc("29463-7", "Body weight") + _mdc("188736", "MDC_MASS_BODY_ACTUAL"), KG, "§number:35-160.2", "bodyweight"),
    Row(
        "Body height",
        _loinc("8302-2", "Body height") + _mdc("188740", "MDC_LEN_BODY_ACTUAL"),
        ("cm", "cm"),
        "§number:90-210.1",
        "bodyheight",
    ),
    Row(
        "Body mass index",
        _loinc("39156-5", "Body mass index (BMI) [Ratio]") + _mdc("188752", "MDC_RATIO_MASS_BODY_LEN_SQ"),
        ("kg/m2", "kg/m²"),
        "§number:14-50.1",
        "bmi",
    ),
    Row(
        "Body fat percentage",
        _loinc("41982-0", "Percentage of body fat Measured") + _mdc("188748", "MDC_BODY_FAT"),
        PERCENT,
        "§number:5-60.1",
        category="exam",
    ),
    Row(
        "Fat-free mass",
        _loinc("91557-9", "Lean body weight") + _mdc("188756", "MDC_MASS_BODY_FAT_FREE"),
        KG,
        "§number:30-90.2",
        category="exam",
    ),
    Row("Fat mass", _loinc("73708-0", "Body fat [Mass] Calculated"), KG, "§number:3-80.2", category="exam"),
    Row("Muscle mass", _loinc("73964-9", "Body muscle mass Calculated"), KG, "§number:20-80.2", category="exam"),
    Row(
        "Body water mass", _loinc("101683-1", "Body water mass") + _mdc("188764", "MDC_BODY_WATER"), KG, "§number:20-70.2", category="exam"
    ),
    Row("Body temperature", _loinc("8310-5", "Body temperature") + _mdc("150364", "MDC_TEMP_BODY"), CELSIUS, "§number:34-42.1", "bodytemp"),
    Row(
        "Skin temperature",
        _loinc("61008-9", "Body surface temperature") + _mdc("150388", "MDC_TEMP_SKIN"),
        CELSIUS,
        "§number:25-40.1",
        "vitalsigns",
    ),
    Row(
        "Oxygen saturation",
        _loinc("2708-6", SATURATION) + _loinc("59408-5", f"{SATURATION} by Pulse oximetry") + _mdc("150456", "MDC_PULS_OXIM_SAT_O2"),
        PERCENT,
        "§number:80-100",
        "oxygensat",
    ),
    Row(
        "Respiratory rate",
        _loinc("9279-1", "Respiratory rate") + _mdc("151562", "MDC_RESP_RATE"),
        ("/min", "breaths/min"),
        "§number:8-40",
        "resprate",
    ),
    Row(
        INTERSTITIAL, _loinc("99504-3", "Glucose [Mass/volume] in Interstitial fluid") + ISF, MG_DL, "§number:40-400", category="laboratory"
    ),
    Row(
        INTERSTITIAL,
        _loinc("105272-9", "Glucose [Moles/volume] in Interstitial fluid") + ISF,
        MMOL_L,
        "§number:2-22.1",
        category="laboratory",
    ),
    Row(
        CAPILLARY,
        _loinc("2339-0", "Glucose [Mass/volume] in Blood") + WHOLE_BLOOD,
        MG_DL,
        "§number:40-400",
        category="laboratory",
    ),
    Row(
        CAPILLARY,
        _loinc("15074-8", "Glucose [Moles/volume] in Blood") + WHOLE_BLOOD,
        MMOL_L,
        "§number:2-22.1",
        category="laboratory",
    ),
    Row("Ketones in blood", _loinc("53061-8", "Ketones [Moles/volume] in Blood"), MMOL_L, "§number:0-8.1", category="laboratory"),
)
_MEASURED: Final = {"device": {"reference": "Device/§id"}}
_ABSENT: Final = ((f"{TERMINOLOGY}data-absent-reason", "not-a-number", "Not a Number (NaN)"),)
_METHOD: Final = ((f"{OWN}CodeSystem/measurement-method", "manual-entry", "Entered by hand"),)
_FLAG: Final = {
    "system": f"{OWN}CodeSystem/measurement-quality",
    "code": "body-movement",
    "display": "Body movement during the measurement",
}


def templates() -> Iterator[Template]:
    """Mostly what a device measured; then what a person typed in, what has no value, and what other systems write."""
    pressures = [{"component": [_component(part) for part in parts]} for parts in (COMPONENTS[:2], COMPONENTS)]
    measures: list[tuple[Row, Mapping[str, object]]] = [
        *((row, {"valueQuantity": _quantity(row)}) for row in ROWS),
        *((PANEL, pressure) for pressure in pressures),
    ]
    for (row, value), source in product(measures, (_MEASURED, _MEASURED, _MEASURED, _typed_in())):
        yield {**_common(row), **source, **value}
    for row, value in measures:
        yield _of_another_system(row, value)
    for row in ROWS:
        yield {**_common(row), **_MEASURED, "extension": [_flag()], "dataAbsentReason": _concept(_ABSENT)}


def _common(row: Row) -> dict[str, object]:
    profile = {} if row.profile is None else {"profile": [BASE + row.profile]}
    return {
        "resourceType": "Observation",
        "id": "§id",
        "meta": {"versionId": "§count", "lastUpdated": "§instant", **profile},
        "status": "final",
        "category": [_category(row)],
        "code": {**_concept(row.codes), "text": row.text},
        "subject": {"reference": "Patient/§id"},
        "effectiveDateTime": "§local",
    }


def _typed_in() -> Mapping[str, object]:
    return {"performer": [{"reference": "Patient/§id"}], "method": _concept(_METHOD)}


def _of_another_system(row: Row, value: Mapping[str, object]) -> Template:
    """As an EHR writes it: one code, a context of care, and words."""
    context = {"encounter": {"reference": "Encounter/§id"}, "issued": "§instant", "performer": [{"reference": "Practitioner/§id"}]}
    return {**_common(row), "code": {**_concept(row.codes[:1]), "text": "§words"}, **context, **value, "note": [{"text": "§words"}]}


def _category(row: Row) -> Template:
    return _concept(((f"{TERMINOLOGY}observation-category", row.category, row.category.replace("-", " ").title()),))


def _flag() -> Template:
    return {"url": f"{OWN}StructureDefinition/measurement-quality", "valueCoding": _FLAG}


def _component(row: Row) -> Template:
    return {"code": {**_concept(row.codes), "text": row.text}, "valueQuantity": _quantity(row)}


def _quantity(row: Row) -> Template:
    code, text = row.unit
    return {"value": row.amount, "system": UCUM, "code": code, "unit": text}


def _concept(codes: Sequence[tuple[str, str, str]]) -> dict[str, object]:
    return {"coding": [{"system": system, "code": code, "display": display} for system, code, display in codes]}
