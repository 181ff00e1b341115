"""ValueSet $expand: the concepts of a value set as a list, filtered and in pages.

https://hl7.org/fhir/R4/valueset-operation-expand.html
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_profiles.terminology.compose import Entry, entries
from fhir_profiles.terminology.terms import SHIPPED, Terms

HEAD: Final = ("url", "identifier", "version", "name", "title", "status", "experimental", "publisher", "copyright")
"""What of the value set goes with its expansion: who made it, and whose codes these are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The in-parameters of $expand that are followed.

    filter          every word of it stands in the code or in the display; case and accents do not matter
    offset, count   the page; None: all of it
    active_only     without concepts that are retired
    exclude_nested  has no effect, the list is flat
    """

    filter: str = ""
    offset: int = 0
    count: int | None = None
    active_only: bool = False


ALL: Final = Wanted()


def expand(value_set: Mapping[str, Any], wanted: Wanted = ALL, *, timestamp: str, terms: Terms = SHIPPED) -> dict[str, Any]:
    """The value set with its expansion, without its definition. Raises TerminologyError where it cannot be listed."""
    words = _fold(wanted.filter).split()
    found = [one for one in entries(value_set, terms) if _fits(one, words) and not (one.inactive and wanted.active_only)]
    end = None if wanted.count is None else wanted.offset + wanted.count
    contains = [_written(entry) for entry in found[wanted.offset : end]]
    expansion: dict[str, Any] = {"timestamp": timestamp, "total": len(found), "offset": wanted.offset, "parameter": _said(wanted)}
    if contains:
        expansion["contains"] = contains
    head = {name: value_set[name] for name in HEAD if name in value_set}
    return {
        "resourceType": "ValueSet",
        "status": "active",
        **head,
        "expansion": {name: one for name, one in expansion.items() if one != []},
    }


def _said(wanted: Wanted) -> list[dict[str, Any]]:
    """What of the question the answer depends on."""
    said: list[dict[str, Any]] = []
    if wanted.filter:
        said.append({"name": "filter", "valueString": wanted.filter})
    if wanted.active_only:
        said.append({"name": "activeOnly", "valueBoolean": True})
    if wanted.count is not None:
        said.append({"name": "count", "valueInteger": wanted.count})
    return said


def _fits(entry: Entry, words: Sequence[str]) -> bool:
    text = _fold(f"{entry.code} {entry.display or ''}") if words else ""
    return all(word in text for word in words)


def _fold(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)).casefold()


def _written(entry: Entry) -> dict[str, Any]:
    written: dict[str, Any] = {"system": entry.system}
    if entry.abstract:
        written["abstract"] = True
    if entry.inactive:
        written["inactive"] = True
    written["code"] = entry.code
    if entry.display:
        written["display"] = entry.display
    return written
