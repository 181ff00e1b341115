"""What R4 says of a Reference, and of contained resources, beyond the structure of both. Pure.

https://hl7.org/fhir/R4/references.html: the form of a literal reference, the types that an element may refer to, and
constraints ref-1 and dom-2 to dom-5. Whether the target exists is not asked here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from fhir_profiles.definitions import RESOURCE_TYPES
from fhir_profiles.primitives import ID_PATTERN

CANONICAL: Final = "http://hl7.org/fhir/StructureDefinition/"
CONTAINER: Final = "#"
"""In a contained resource: what contains it."""

_INSTANCE: Final = rf"([A-Z][A-Za-z]+)/{ID_PATTERN}(?:/_history/{ID_PATTERN})?"
_RELATIVE: Final = re.compile(_INSTANCE)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://\S+")
_OF_AN_INSTANCE: Final = re.compile(rf"https?://\S+/{_INSTANCE}")
_URN: Final = re.compile(r"urn:(?:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|oid:[0-2](?:\.(?:0|[1-9][0-9]*))+)", re.IGNORECASE)
_CONDITIONAL: Final = re.compile(r"([A-Z][A-Za-z]+)\?\S+")

_IN_A_NARRATIVE: Final = re.compile(r"""(?:href|src)\s*=\s*["'](#[^"'<>\s]+)""")

_FORM: Final = "a reference is Type/id, Type/id/_history/version, an absolute URL, urn:uuid:…, urn:oid:…, or #id of a contained resource"
_BY_CRITERIA: Final = "a reference by criteria is resolved in a transaction only: send it in one, or refer to Type/id"
_NO_TYPE: Final = "this is no resource type of R4"


class Fault(NamedTuple):
    """One thing that is wrong. `code` as in `structure.Problem`, `below` the element it speaks of, and what to do."""

    code: Literal["structure", "value", "invariant"]
    below: str
    text: str


class Scope(NamedTuple):
    """What a reference may lead to without leaving the resource.

    type         of the resource itself
    contained    type by id of what it contains
    entries      type by full URL of the entries of the Bundle that it stands in
    conditional  it stands in a Bundle that is still to be carried out, so references may be criteria
    """

    type: str
    contained: Mapping[str, str]
    entries: Mapping[str, str]
    conditional: bool


_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
NOWHERE: Final = Scope("", _NOTHING, _NOTHING, conditional=False)


def scope_of(resource: Mapping[str, Any], type: str, outer: Scope) -> Scope:
    """Of a resource that is not contained, at the top or standing in `outer`. It may still be anything but right."""
    contained = _types(resource.get("contained"), "id", lambda one: one)
    if type != "Bundle":
        return Scope(type, contained, outer.entries, outer.conditional)
    entries = _types(resource.get("entry"), "fullUrl", lambda one: one.get("resource"))
    return Scope(type, contained, entries, outer.conditional or resource.get("type") in ("transaction", "batch"))


def _types(items: Any, key: str, resource: Callable[[Mapping[str, Any]], Any]) -> Mapping[str, str]:
    """Types of the resources in a list, by a key of its items; whatever is no such list has none."""
    if not isinstance(items, list):
        return _NOTHING
    found = ((str(one.get(key)), resource(one)) for one in items if isinstance(one, dict))
    return {name: str(inside.get("resourceType")) for name, inside in found if isinstance(inside, dict)}


def fault(reference: Mapping[str, Any], targets: frozenset[str], scope: Scope) -> Fault | None:
    """What is wrong with a Reference whose structure is right. `targets`: the types it may lead to; none of them is any."""
    type, literal = None, reference.get("reference")
    if literal is not None:
        led = _led(literal, scope)
        if isinstance(led, Fault):
            return led
        if led is not None and targets and led not in targets:
            return Fault("structure", ".reference", _may_lead_to(targets))
        type = led
    said = reference.get("type")
    return None if said is None else _said(said, type, targets)


def _led(literal: str, scope: Scope) -> str | Fault | None:
    """The type of what the literal leads to; None where nobody can tell."""
    found = _RELATIVE.fullmatch(literal)
    if found is not None:
        return found[1] if found[1] in RESOURCE_TYPES else Fault("value", ".reference", _NO_TYPE)
    if literal.startswith("#"):
        return _inside(literal, scope)
    if literal in scope.entries:
        return scope.entries[literal]
    if _URL.fullmatch(literal) is not None:
        found = _OF_AN_INSTANCE.fullmatch(literal)
        return found[1] if found is not None and found[1] in RESOURCE_TYPES else None
    if _URN.fullmatch(literal) is not None:
        return None
    found = _CONDITIONAL.fullmatch(literal)
    if found is not None and found[1] in RESOURCE_TYPES:
        return found[1] if scope.conditional else Fault("value", ".reference", _BY_CRITERIA)
    return Fault("value", ".reference", _FORM)


def _inside(literal: str, scope: Scope) -> str | Fault:
    if literal == CONTAINER:
        return scope.type
    found = scope.contained.get(literal[1:])
    return found or Fault("invariant", ".reference", "ref-1: no contained resource has this id: add it to contained, or refer to another")


def _said(said: str, type: str | None, targets: frozenset[str]) -> Fault | None:
    """https://hl7.org/fhir/R4/references-definitions.html#Reference.type: a name of R4's, or the URL of a definition."""
    name = said.removeprefix(CANONICAL)
    if name not in RESOURCE_TYPES:
        return None if ":" in name else Fault("value", ".type", _NO_TYPE)
    if type is not None and name != type:
        return Fault("structure", ".type", "the type is not that of the resource which the reference leads to: correct or remove it")
    return Fault("structure", ".type", _may_lead_to(targets)) if targets and name not in targets else None


def _may_lead_to(targets: frozenset[str]) -> str:
    return f"this may refer to {' or '.join(sorted(targets))} only"


def contained_faults(resource: Mapping[str, Any]) -> Iterator[tuple[int, Fault]]:
    """What is wrong with each of the resources that one contains, whose structure is right: its index and what it is."""
    linked = frozenset(_links(resource))
    ids: set[str] = set()
    for index, one in enumerate(resource["contained"]):
        id, meta = one.get("id"), one.get("meta", {})
        if "contained" in one:
            yield index, Fault("invariant", ".contained", "dom-2: a contained resource cannot contain another: put them side by side")
        for name in ("versionId", "lastUpdated"):
            if name in meta:
                yield index, Fault("invariant", f".meta.{name}", f"dom-4: a contained resource has no versions of its own: remove {name}")
        if "security" in meta:
            yield index, Fault("invariant", ".meta.security", "dom-5: security labels are those of the resource around it: remove them")
        if id is not None and id in ids:
            yield index, Fault("value", ".id", "another contained resource has the same id: give each its own")
        elif f"#{id}" not in linked and CONTAINER not in _links(one):
            yield (
                index,
                Fault("invariant", "", "dom-3: nothing refers to this contained resource: refer to it by # and its id, or remove it"),
            )
        ids.add(str(id))


def _links(content: Any) -> Iterator[str]:
    """Everything that leads to a place inside the resource: references, canonicals and URIs that begin with #, images of narratives.

    Types are not looked at, so another text that reads like such a link counts as one: what it would let through is
    a contained resource too many.
    """
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, str) and one.startswith("#"):
            yield one
        elif isinstance(one, str) and one.startswith("<"):
            yield from _IN_A_NARRATIVE.findall(one)
