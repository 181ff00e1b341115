"""The coverage matrix, from what the manifests declare: for a command, a script and the documentation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from adapters.contract import Evidence, Manifest
from adapters.kit import levels
from fhir_profiles.catalogue import MEASURES

COLUMNS = ("adapter", "product", "measures", "transports", "times", "evidence", "level")
EVIDENCE: Final[Mapping[Evidence, str]] = {
    "public-sample": "public-sample",
    "vendor-documentation": "synthetic, by the vendor's documentation",
    "synthetic": "synthetic",
}
"""For people: without a public sample, a payload is one that we wrote, after whatever it was written."""
OF_A_MEASURE = ("measure", "codes", "units", "possible", "components")
HEAD = """# Devices and formats the hub reads

Made by `hub adapters list --markdown` from the manifests of the adapters that come with the hub; a test holds it against them.

Times: `utc` an instant, `offset` local time with its offset, `local` a wall clock without a zone (the sender states one), `ticks` a
counter.
Evidence: `public-sample` a payload that others published; `synthetic` what we wrote, because no sample of the format is public, by the
vendor's own documentation where the row says so. The samples, and what each is held against: [the list](samples.md).
Level: what `hub adapters test` finds (bronze, silver, gold; [what they mean](guides/vendors.md#8-the-signed-report)); below, which rules
are open. A level says what these rules found on this code, and nothing about the medical use of a product.
"""


def catalogue(word: str = "") -> list[list[str]]:
    """Measures whose key has the word in it, in the order of OF_A_MEASURE."""
    return [
        [key, _codes(key), ", ".join(one.units), f"{one.low} to {one.high}" if one.units else "", ", ".join(one.components)]
        for key, one in sorted(MEASURES.items())
        if word.lower() in key
    ]


def rows(manifests: Iterable[Manifest]) -> list[list[str]]:
    """One row per adapter, in the order of COLUMNS."""
    return [
        [
            one.name,
            one.product,
            ", ".join(sorted(one.measures)),
            ", ".join(one.transports),
            ", ".join(one.time_kinds),
            EVIDENCE[one.evidence],
            levels.of(one).get("level") or "-",
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
            "level": levels.of(one).get("level"),
            "open_rules": dict(levels.of(one).get("open", {})),
        }
        for one in sorted(manifests, key=lambda one: one.name)
    ]


def markdown(manifests: Iterable[Manifest]) -> str:
    """The page docs/devices.md: adapters, then for each measure the adapters that give it."""
    known = sorted(manifests, key=lambda one: one.name)
    adapters = _table(COLUMNS, rows(known))
    measures = [[key, _codes(key), ", ".join(one.name for one in known if key in one.measures)] for key in _given(known)]
    still = [
        [one.name, f"{rule} ({how})", levels.of(one).get("why", {}).get(rule, "")]
        for one in known
        for rule, how in levels.of(one).get("open", {}).items()
    ]
    parts = (
        adapters,
        f"## What stands between an adapter and gold\n\n{_table(('adapter', 'rule', 'why'), still)}",
        f"## By measure\n\n{_table(('measure', 'codes', 'adapters'), measures)}",
    )
    return "\n".join((HEAD, *parts))


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
