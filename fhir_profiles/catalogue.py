"""The measure catalogue: what each measure is called, in which units it may come and what it can possibly be.

The rows are data (`measures/*.json`, a `source` in each; what they share in `catalogue.json`); this module only gives
them types. Adapters name a measure by its key; nobody else knows a LOINC or MDC code.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import orjson

from fhir_profiles.canonical import LOINC, MDC, MEASURE_SYSTEM
from fhir_profiles.measurement import Coding
from fhir_profiles.units import Conversion

_PARAMETER: Final = re.compile(r"[a-z0-9]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit in which a measure may be given.

    ucum        the UCUM code as given
    label       for people
    stored      the UCUM code under which the value is stored
    conversion  to the canonical unit of the measure
    keeps       the digits are stored as given: the units are equal, or the measure keeps the unit given
    codings     the LOINC codings of the measure when it comes in this unit
    """

    ucum: str
    label: str
    stored: str
    conversion: Conversion
    keeps: bool
    codings: tuple[Coding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row. A measure has units, codes or components.

    key         name used by adapters
    text        for people
    category    code of http://terminology.hl7.org/CodeSystem/observation-category; empty for a component
    profile     R4 profile that its Observations follow, if there is one
    codings     LOINC, then MDC; where the code depends on the unit, MDC alone (see `Unit.codings`)
    canonical   UCUM code; empty when the measure consists of components
    units       allowed units by UCUM code
    sampled     a strip of values in one of the units instead of one value
    document    a recording kept as a document; it then has neither units nor codes
    report      of a document that a person reads: which service reports so. It is found by a DiagnosticReport instead of an Observation
    codes       (system, code) to display: the values of a measure that is a code; it then has no units
    low, high   bounds of what is physically possible, in the canonical unit, included
    components  by key; `required`: R4 wants the component, if only with a dataAbsentReason
    source      where codes and bounds come from
    medication  what was given: the row then becomes a MedicationAdministration instead of an Observation
    rate        of a medication: the value is a rate that held for the period, not one dose
    """

    key: str
    text: str
    category: str
    profile: str | None
    codings: tuple[Coding, ...]
    canonical: str
    units: Mapping[str, Unit]
    sampled: bool = False
    document: bool = False
    report: Coding | None = None
    codes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    low: Decimal
    high: Decimal
    components: Mapping[str, "Measure"] = field(default_factory=dict)
    required: bool = False
    source: str
    medication: Coding | None = None
    rate: bool = False

    @property
    def resource_type(self) -> str:
        """The FHIR type that a measurement of this row becomes; of a document that by which it is found."""
        if self.report is not None:
            return "DiagnosticReport"
        return "Observation" if self.medication is None else "MedicationAdministration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Specialization:
    """What kind of device it is: a specialization of IEEE 11073-104xx."""

    key: str
    coding: Coding
    text: str


def _loinc(row: Mapping[str, Any]) -> tuple[Coding, ...]:
    return tuple(Coding(system=LOINC, code=code, display=display) for code, display in row.get("loinc", ()))


def _mdc(row: Mapping[str, Any]) -> tuple[Coding, ...]:
    return (Coding(system=MDC, code=row["mdc"][0], display=row["mdc"][1]),) if "mdc" in row else ()


def _own(row: Mapping[str, Any]) -> tuple[Coding, ...]:
    """Our own code for what neither LOINC nor MDC names; a component's is that of its measure's key, too."""
    public = "medication" in row or "mdc" in row or "loinc" in row or any("loinc" in unit for unit in row.get("units", ()))
    return () if public else (Coding(system=MEASURE_SYSTEM, code=row["key"], display=row["text"]),)


def _named(row: Mapping[str, Any], name: str) -> Coding | None:
    if name not in row:
        return None
    system, code, display = row[name]
    return Coding(system=system, code=code, display=display)


def _codes(row: Mapping[str, Any]) -> Mapping[tuple[str, str], str]:
    values = row.get("values", {})
    return MappingProxyType({(values["system"], code): display for code, display in values.get("codes", ())} if values else {})


def _unit(row: Mapping[str, Any], canonical: str, measure: Mapping[str, Any]) -> Unit:
    conversion = Conversion(
        add=Decimal(row.get("add", "0")), multiply=Decimal(row.get("multiply", "1")), divide=Decimal(row.get("divide", "1"))
    )
    as_given = bool(row.get("as_given", False))
    return Unit(
        ucum=row["unit"],
        label=row["label"],
        stored=row["unit"] if as_given else canonical,
        conversion=conversion,
        keeps=as_given or conversion.is_identity,
        codings=(_loinc(row) or _loinc(measure)) + _mdc(measure) + _own(measure),
    )


def _measure(row: Mapping[str, Any]) -> Measure:
    units = row.get("units", ())
    canonical = units[0]["unit"] if units else ""
    low, high = row.get("possible", ("0", "0"))
    components = (_measure(component) for component in row.get("components", ()))
    return Measure(
        key=row["key"],
        text=row["text"],
        category=row.get("category", ""),
        profile=row.get("profile"),
        codings=_loinc(row) + _mdc(row) + _own(row),
        canonical=canonical,
        units=MappingProxyType({unit["unit"]: _unit(unit, canonical, row) for unit in units}),
        sampled=bool(row.get("sampled", False)),
        document=bool(row.get("document", False)),
        report=_named(row, "report"),
        codes=_codes(row),
        low=Decimal(low),
        high=Decimal(high),
        components=MappingProxyType({component.key: component for component in components}),
        required=row.get("required", False),
        source=row["source"],
        medication=_named(row, "medication"),
        rate=bool(row.get("rate", False)),
    )


def knows_flag(flag: str) -> bool:
    """Is this a quality flag that an Observation can carry: a code of ours, or a parameter under a known name?"""
    if flag in QUALITY:
        return True
    name, colon, parameter = flag.partition(":")
    return colon == ":" and name in FLAG_PARAMETERS and _PARAMETER.fullmatch(parameter) is not None


def _read(*path: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = orjson.loads(files("fhir_profiles").joinpath(*path).read_bytes())
    return document


def _concepts(name: str) -> Mapping[str, str]:
    concepts = _read("structure_definitions", f"CodeSystem-{name}.json")["concept"]
    return MappingProxyType({concept["code"]: concept["display"] for concept in concepts})


def _rows() -> Iterator[Mapping[str, Any]]:
    for file in sorted(files("fhir_profiles").joinpath("measures").iterdir(), key=lambda file: file.name):
        yield from _read("measures", file.name)["measures"]


_DATA: Final = _read("catalogue.json")

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType({row["key"]: _measure(row) for row in _rows()})
"""Every measure by its key."""

CATEGORIES: Final[Mapping[str, str]] = MappingProxyType(_DATA["categories"])
ABSENT_REASONS: Final[Mapping[str, str]] = MappingProxyType(_DATA["absent"])
CONTEXT: Final[Mapping[str, str]] = MappingProxyType(_DATA["context"])
"""Key of a reading's context: the element of Observation that carries it, or the URL of the extension that does."""

FLAG_PARAMETERS: Final[Mapping[str, str]] = MappingProxyType(_DATA["flag_parameters"])
"""Name of a flag that carries a parameter ("user-index:1"): the URL of the extension that holds it."""

QUALITY: Final[Mapping[str, str]] = _concepts("measurement-quality")
METHODS: Final[Mapping[str, str]] = _concepts("measurement-method")
SPECIALIZATIONS: Final[Mapping[str, Specialization]] = MappingProxyType(
    {row["key"]: Specialization(key=row["key"], coding=_mdc(row)[0], text=row["text"]) for row in _DATA["specializations"]}
)
