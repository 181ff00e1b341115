"""What each shape takes, as data: `ans.json`, `phd.json`, `hddt.json`, with the source of each.

Those who read these shapes (adapters) and those who write them ask the same tables.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal

import orjson

from fhir_profiles.measurement import Coding

Need = Literal["moment", "days", "day"]
Kind = Literal["glucose", "chunk", "pressure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsMeasure:
    """What Mesures de santé takes under one profile.

    loinc       codes by which a stored Observation is known to be one
    profile     canonical URL; `older`: those that are still in use for the same
    unit        UCUM code that the value has to have, or that of each component
    components  LOINC codes of the components that have to have a value
    beside      codings that the code has to have
    needs       what else it has to have
    refused     why there is no place all the same
    """

    key: str
    loinc: tuple[str, ...]
    profile: str
    older: tuple[str, ...]
    unit: str
    components: tuple[str, ...] = ()
    beside: tuple[Coding, ...] = ()
    needs: Need | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HddtMeasure:
    """What HDDT takes under one profile: the unit by LOINC code."""

    kind: Kind
    profile: str
    units: Mapping[str, str]
    components: tuple[str, ...] = field(default=())


def _read(name: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = orjson.loads(files("fhir_profiles").joinpath("shapes", name).read_bytes())
    return document


_ANS: Final = _read("ans.json")
_PHD: Final = _read("phd.json")
_HDDT: Final = _read("hddt.json")


def _ans_measures() -> Iterator[AnsMeasure]:
    for row in _ANS["measures"]:
        older = row["older"]
        yield AnsMeasure(
            key=row["key"],
            loinc=tuple(row["loinc"]),
            profile=_ANS["profiles"] + row["profile"],
            older=() if older is None else (_ANS["older_profiles"][0] + older,),
            unit=row["unit"],
            components=tuple(row.get("components", ())),
            beside=tuple(Coding(system=system, code=code) for system, code in row.get("beside", ())),
            needs=row.get("needs"),
            refused=row.get("refused"),
        )


def _codes(row: Mapping[str, Any]) -> Mapping[str, Coding]:
    return MappingProxyType({code: Coding(system=row["system"], code=code, display=display) for code, display in row["codes"]})


def _words(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType({key: value for key, value in row.items() if key != "about"})


ANS_PROFILES: Final[str] = _ANS["profiles"]
"""Beginning of the URL of each profile and extension; `ANS_OLDER_PROFILES`: those before release 3.0."""
ANS_OLDER_PROFILES: Final[tuple[str, ...]] = tuple(_ANS["older_profiles"])
ANS_MEASURES: Final = tuple(_ans_measures())
ANS_BY_LOINC: Final[Mapping[str, AnsMeasure]] = MappingProxyType({code: one for one in ANS_MEASURES for code in one.loinc})
ANS_EXTENSIONS: Final[Mapping[str, str]] = MappingProxyType({key: _ANS["profiles"] + name for key, name in _ANS["extensions"].items()})
"""reason, moment, days, original, origin: URL of the extension."""
ANS_SUBJECTS: Final[tuple[str, ...]] = tuple(row["system"] for row in _ANS["subjects"])
"""Systems of the identifiers by which a person is named, the best one first."""
ANS_MOMENTS: Final = _codes(_ANS["moments"])
ANS_MOMENT_OF_MEAL: Final[Mapping[str, str]] = MappingProxyType(dict(_ANS["moments"]["of_meal"]))
"""MDC code of the meal that a glucose meter names: code of the moment."""
ANS_DAYS: Final = _codes(_ANS["days"])
ANS_SINGLE_READING: Final[str] = _ANS["days"]["single"]

PHD_PROFILES: Final[str] = _PHD["profiles"]
PHD_CATEGORY: Final = Coding(system=_PHD["category"][0], code=_PHD["category"][1])
PHD_STATUS_SYSTEM: Final[str] = _PHD["status_system"]
PHD_STATUS: Final[Mapping[str, str]] = _words(_PHD["status"])
"""Our quality flag: code of the measurement status."""
PHD_IDENTIFIERS: Final[Mapping[str, str]] = _words(_PHD["identifiers"])
"""System of a device's identifier: code of its type."""
PHD_GENERIC: Final[str] = _PHD["generic"]

HDDT_MEASURES: Final = tuple(
    HddtMeasure(
        kind=row["kind"], profile=_HDDT["profiles"] + row["profile"], units=row["units"], components=tuple(row.get("components", ()))
    )
    for row in _HDDT["measures"]
)
HDDT_BY_LOINC: Final[Mapping[str, HddtMeasure]] = MappingProxyType({code: one for one in HDDT_MEASURES for code in one.units})
HDDT_PROFILES: Final[str] = _HDDT["profiles"]
HDDT_DEVICE_TYPES: Final[Mapping[str, str]] = _words(_HDDT["device_types"])
HDDT_DELAY_S: Final[Mapping[str, int]] = _words(_HDDT["delay_from_real_time_s"])
HDDT_CHUNK_HOURS: Final[tuple[int, ...]] = tuple(_HDDT["chunk_hours"])
