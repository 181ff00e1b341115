"""A payload in FHIR JSON: a resource, a Bundle, or a list of them -> entries whose references can be followed.

https://hl7.org/fhir/R4/bundle.html#references. Nothing is fetched: what lies outside the payload stays unknown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.contract import Unreadable
from adapters.json_values import Json, check_count, listed, part
from adapters.limits import FIELD_CHARS_MAX

BUNDLE = "Bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A resource with its place in the payload and what the Bundle says beside it."""

    pointer: str
    resource: Json
    full_url: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        found = self.resource.get("resourceType")
        return found if type(found) is str else ""


class Bundle:
    """Entries that can refer to one another; of a resource that came alone, itself."""

    def __init__(self, pointer: str, kind: str | None, entries: tuple[Entry, ...]) -> None:
        self.pointer, self.kind, self.entries = pointer, kind, entries
        self._places: dict[str, Entry] = {}
        for entry in entries:
            for name in _names(entry):
                self._places.setdefault(name, entry)

    def of_type(self, type: str) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.type == type)

    def follow(self, reference: Any, *, inside: Json) -> Json | None:
        """The resource that `reference.reference` names; `inside`: the resource that has it, for what it contains."""
        text = reference.get("reference") if type(reference) is dict else None
        if type(text) is not str:
            return None
        if text.startswith("#"):
            return next((one for one in listed(inside, "contained") if type(one) is dict and f"#{one.get('id')}" == text), None)
        found = self._places.get(text.partition("/_history/")[0])
        return None if found is None else found.resource


def _names(entry: Entry) -> Iterator[str]:
    if entry.full_url is not None:
        yield entry.full_url
    id = entry.resource.get("id")
    if type(id) is str and id:
        yield f"{entry.type}/{id}"


def bundles(document: Any) -> Iterator[Bundle]:
    """Each Bundle, and each resource that came alone as one of its own. Raises Unreadable before the first, or never."""
    many = type(document) is list
    found = document if many else [document]
    check_count(len(found))
    if not found or not all(type(one) is dict and type(one.get("resourceType")) is str for one in found):
        raise Unreadable("not-fhir", "The payload must be a FHIR resource, a Bundle, or a list of them, each with its `resourceType`.")
    check_count(sum(len(listed(one, "entry")) for one in found))
    return (_bundle(one, f"/{index}" if many else "") for index, one in enumerate(found))


def _bundle(resource: Json, pointer: str) -> Bundle:
    if resource["resourceType"] != BUNDLE:
        return Bundle(pointer, None, (Entry(pointer=pointer, resource=resource),))
    kind = resource.get("type")
    entries = tuple(
        Entry(
            pointer=f"{pointer}/entry/{index}/resource",
            resource=part(entry, "resource"),
            full_url=_short(entry.get("fullUrl")),
            request=part(entry, "request"),
        )
        for index, entry in enumerate(listed(resource, "entry"))
        if type(entry) is dict
    )
    return Bundle(pointer, kind if type(kind) is str else "", entries)


def _short(value: Any) -> str | None:
    return value if type(value) is str and 0 < len(value) <= FIELD_CHARS_MAX else None
