"""The coverage matrix, from what the manifests declare: for a command, a script and the documentation."""

from collections.abc import Iterable, Sequence
from typing import Any

from adapters.contract import Manifest
from fhir_profiles.catalogue import MEASURES

COLUMNS = ("adapter", "product", "measures", "transports", "times", "evidence")
HEAD = """# Devices and formats the hub reads

Made by `hub adapters list --markdown` from the manifests of the adapters that come with the hub; a test holds it against them.

Times: `utc` an instant, `offset` local time with its offset, `local` a wall clock without a zone (the sender states one), `ticks` a
counter.
Evidence: `public-sample` a payload that others published, `vendor-documentation` the vendor's own, `synthetic` what we wrote.
"""


def rows(manifests: Iterable[Manifest]) -> list[list[str]]:
    """One row per adapter, in the order of COLUMNS."""
    return [
        [
            one.name,
            one.product,
            ", ".join(sorted(one.measures)),
            ", ".join(one.transports),
            ", ".join(one.time_kinds),
            one.evidence,
        ]
        for one in sorted(manifests, key=lambda one: one.name)
    ]


def objects(manifests: Iterable[Manifest]) -> list[dict[str, Any]]:
    """Everything that a manifest says, for a script."""
    return [
        {
            "name": one.name,
            "version": one.version,
            "product": one.product,
            "manufacturer": one.manufacturer,
            "media_types": list(one.media_types),
            "needs_time_zone": one.needs_time_zone,
            "identifier_system": one.identifier_system,
            "measures": sorted(one.measures),
            "transports": list(one.transports),
            "time_kinds": list(one.time_kinds),
            "evidence": one.evidence,
            "utc_by": one.utc_by,
        }
        for one in sorted(manifests, key=lambda one: one.name)
    ]


def markdown(manifests: Iterable[Manifest]) -> str:
    """The page docs/devices.md: adapters, then for each measure the adapters that give it."""
    known = sorted(manifests, key=lambda one: one.name)
    adapters = _table(COLUMNS, rows(known))
    measures = [[key, _codes(key), ", ".join(one.name for one in known if key in one.measures)] for key in _given(known)]
    return f"{HEAD}\n{adapters}\n## By measure\n\n{_table(('measure', 'codes', 'adapters'), measures)}"


def _given(manifests: Iterable[Manifest]) -> list[str]:
    return sorted({key for one in manifests for key in one.measures})


def _codes(key: str) -> str:
    measure = MEASURES[key]
    codings = dict.fromkeys(coding.code for unit in measure.units.values() for coding in unit.codings) or dict.fromkeys(
        coding.code for coding in measure.codings
    )
    return ", ".join(codings)


def _table(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *cells]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
