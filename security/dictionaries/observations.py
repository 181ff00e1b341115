"""Templates of Observations from devices, in the shape of DEVICES 2.12: LOINC and MDC codes, UCUM units.

https://hl7.org/fhir/R4/observation.html, https://hl7.org/fhir/R4/observation-vitalsigns.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from security.dictionaries.samples import Template

LOINC: Final = "http://loinc.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
UCUM: Final = "http://unitsofmeasure.org"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
BASE: Final = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of measurement. `codes`: (system, code, display); `unit`: (text, UCUM code); `amount`: a number marker."""

    codes: tuple[tuple[str, str, str], ...]
    unit: tuple[str, str]
    amount: str
    profile: str = "vitalsigns"
    category: str = "vital-signs"


def _row(loinc: tuple[str, str], mdc: tuple[str, str], unit: tuple[str, str], amount: str, profile: str = "vitalsigns") -> Row:
    return Row(codes=((LOINC, *loinc), (MDC, *mdc)), unit=unit, amount=amount, profile=profile)


MMHG: Final = ("mmHg", "mm[Hg]")
PER_MINUTE: Final = ("/min", "/min")
SYSTOLIC: Final = _row(("8480-6", "Systolic blood pressure"), ("150021", "MDC_PRESS_BLD_NONINV_SYS"), MMHG, "§number:85-210")
DIASTOLIC: Final = _row(("8462-4", "Diastolic blood pressure"), ("150022", "MDC_PRESS_BLD_NONINV_DIA"), MMHG, "§number:45-120")
MEAN: Final = _row(("8478-0", "Mean blood pressure"), ("150023", "MDC_PRESS_BLD_NONINV_MEAN"), MMHG, "§number:60-150")
PANEL: Final = ((LOINC, "85354-9", "Blood pressure panel with all children optional"), (MDC, "150020", "MDC_PRESS_BLD_NONINV"))

ROWS: Final = (
    _row(("8867-4", "Heart rate"), ("147842", "MDC_ECG_HEART_RATE"), PER_MINUTE, "§number:40-190", "heartrate"),
    _row(("8867-4", "Heart rate"), ("149546", "MDC_PULS_RATE_NON_INV"), PER_MINUTE, "§number:40-190", "heartrate"),
    _row(("8867-4", "Heart rate"), ("149530", "MDC_PULS_OXIM_PULS_RATE"), PER_MINUTE, "§number:40-190", "heartrate"),
    _row(("29463-7", "Body weight"), ("188736", "MDC_MASS_BODY_ACTUAL"), ("kg", "kg"), "§number:35-160.2", "bodyweight"),
    _row(("8302-2", "Body height"), ("188740", "MDC_LEN_BODY_ACTUAL"), ("cm", "cm"), "§number:90-210.1", "bodyheight"),
    _row(
        ("39156-5", "Body mass index (BMI) [Ratio]"), ("188752", "MDC_RATIO_MASS_BODY_LEN_SQ"), ("kg/m2", "kg/m2"), "§number:14-50.1", "bmi"
    ),
    _row(("41982-0", "Percentage of body fat Measured"), ("188748", "MDC_BODY_FAT"), ("%", "%"), "§number:5-60.1"),
    _row(("8310-5", "Body temperature"), ("150364", "MDC_TEMP_BODY"), ("Cel", "Cel"), "§number:34-42.1", "bodytemp"),
    _row(("9279-1", "Respiratory rate"), ("151562", "MDC_RESP_RATE"), PER_MINUTE, "§number:8-40", "resprate"),
    Row(
        codes=(
            (LOINC, "2708-6", "Oxygen saturation in Arterial blood"),
            (LOINC, "59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
            (MDC, "150456", "MDC_PULS_OXIM_SAT_O2"),
        ),
        unit=("%", "%"),
        amount="§number:80-100",
        profile="oxygensat",
    ),
    Row(
        codes=((LOINC, "99504-3", "Glucose [Mass/volume] in Interstitial fluid"), (MDC, "160212", "MDC_CONC_GLU_ISF")),
        unit=("mg/dL", "mg/dL"),
        amount="§number:40-400",
        category="laboratory",
    ),
    Row(
        codes=((LOINC, "105272-9", "Glucose [Moles/volume] in Interstitial fluid"), (MDC, "160212", "MDC_CONC_GLU_ISF")),
        unit=("mmol/L", "mmol/L"),
        amount="§number:2-22.1",
        category="laboratory",
    ),
    Row(
        codes=(
            (LOINC, "2339-0", "Glucose [Mass/volume] in Blood"),
            (LOINC, "15074-8", "Glucose [Moles/volume] in Blood"),
            (MDC, "160184", "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD"),
        ),
        unit=("mg/dL", "mg/dL"),
        amount="§number:40-400",
        category="laboratory",
    ),
    Row(
        codes=(
            (LOINC, "55423-8", "Number of steps in unspecified time Pedometer"),
            (LOINC, "41950-7", "Number of steps in 24 hour Measured"),
        ),
        unit=("steps", "{steps}"),
        amount="§number:0-20000",
        category="activity",
    ),
)


def templates() -> Iterator[Template]:
    """Every row, measured by a device or typed in, by our own builders or by somebody else's."""
    for row, built_here in product(ROWS, (True, True, False)):
        yield _observation(row.codes, row, {"valueQuantity": _quantity(row)}, built_here=built_here)
    for built_here, parts in product((True, True, False), ((SYSTOLIC, DIASTOLIC), (SYSTOLIC, DIASTOLIC, MEAN))):
        yield _observation(PANEL, SYSTOLIC, {"component": [_component(part) for part in parts]}, built_here=built_here)
    yield _observation(ROWS[0].codes, ROWS[0], {"dataAbsentReason": _concept(((_ABSENT, "not-a-number", "Not a Number (NaN)"),))})
    yield _observation(((MDC, "131329", "MDC_ECG_ELEC_POTL_I"),), _ECG, {"valueSampledData": _SIGNAL})


_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ECG: Final = Row(codes=(), unit=("uV", "uV"), amount="§number:0-1", profile="Observation", category="procedure")
_SIGNAL: Final = {
    "origin": {"value": 0, "unit": "uV", "system": UCUM, "code": "uV"},
    "period": "§number:1-8.3",
    "factor": 1,
    "dimensions": 1,
    "data": "§signal",
}


def _observation(codes: Sequence[tuple[str, str, str]], row: Row, value: Mapping[str, object], *, built_here: bool = True) -> Template:
    made: dict[str, object] = {
        "resourceType": "Observation",
        "id": "§id",
        "meta": {"versionId": "§count", "lastUpdated": "§instant", "profile": [BASE + row.profile]},
        "status": "final",
        "category": [_concept(((CATEGORY, row.category, row.category.replace("-", " ").title()),))],
        "code": _concept(codes) if built_here else {**_concept(codes[:1]), "text": "§words"},
        "subject": {"reference": "Patient/§id"},
        "effectiveDateTime": "§local",
    }
    if built_here:
        return {**made, **value, "device": {"reference": "Device/§id"}}
    clinical = {"performer": [{"reference": "Practitioner/§id"}], "issued": "§instant", "encounter": {"reference": "Encounter/§id"}}
    return {**made, **clinical, **value, "note": [{"text": "§words"}]}


def _component(row: Row) -> Template:
    return {"code": _concept(row.codes), "valueQuantity": _quantity(row)}


def _quantity(row: Row) -> Template:
    return {"value": row.amount, "unit": row.unit[0], "system": UCUM, "code": row.unit[1]}


def _concept(codes: Sequence[tuple[str, str, str]]) -> dict[str, object]:
    return {"coding": [{"system": system, "code": code, "display": display} for system, code, display in codes]}
