"""What the catalogue allows a mapping to say: measure, components, units, codes, flags. A mapping with another word is not loaded."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from adapters.declarative.failure import Path as Place
from adapters.declarative.failure import Unusable
from adapters.reading import Coded
from fhir_profiles.catalogue import CONTEXT, MEASURES, Measure, knows_flag

NEAR_MAX = 12


def measure(key: str, at: Place) -> Measure:
    """Return the catalogue's row. Raises Unusable."""
    if key not in MEASURES:
        raise Unusable(at, f"The catalogue has no measure {key!r}{_near(key)}; `hub adapters measures` lists all.")
    return MEASURES[key]


def component(panel: Measure, key: str, at: Place) -> Measure:
    """Return the row of a component. Raises Unusable."""
    if key not in panel.components:
        raise Unusable(at, f"{panel.key} has no component {key!r}; it has {_listed(panel.components) or 'none'}.")
    return panel.components[key]


def check_units(row: Measure, units: Iterable[str], at: Place) -> None:
    """Raise Unusable for a unit in which the catalogue does not take the measure."""
    for unit in units:
        if unit not in row.units:
            raise Unusable(at, f"{row.key} is not taken in {unit!r}; write one of these UCUM codes: {_listed(row.units) or 'none'}.")


def coded(row: Measure, words: Iterable[str], system: str | None, at: Place) -> Mapping[str, Coded]:
    """Return the catalogue's codes for our words of a table. Raises Unusable."""
    found = {word: [key for key in row.codes if key[1] == word and system in (None, key[0])] for word in words}
    for word, keys in found.items():
        if len(keys) != 1:
            raise Unusable(at, f"{row.key} has no code {word!r}; it has {_listed(code for _, code in row.codes) or 'none: it is no code'}.")
    return {word: Coded(system=keys[0][0], code=keys[0][1], display=row.codes[keys[0]]) for word, keys in found.items()}


def check_flag(flag: str, at: Place) -> None:
    """Raise Unusable for a quality flag that an Observation cannot carry."""
    if not knows_flag(flag):
        raise Unusable(at, f"The hub has no quality flag {flag!r}; see the code system measurement-quality.")


def check_context(key: str, at: Place) -> None:
    """Raise Unusable for a circumstance that an Observation cannot carry."""
    if key not in CONTEXT:
        raise Unusable(at, f"A circumstance is one of {_listed(CONTEXT)}.")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words)))


def _near(key: str) -> str:
    """Name the rows that share a word with what was written, else those that are written nearly so."""
    parts = set(key.split("-"))
    shared = sorted(row for row in MEASURES if parts & set(row.split("-")))[:NEAR_MAX]
    near = shared or get_close_matches(key.lower(), list(MEASURES), n=NEAR_MAX)
    return f"; perhaps {_listed(near)}" if near else ""
