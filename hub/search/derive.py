"""From HL7's definition of a parameter to its row: which tokens of a stored resource answer it.

Codes and references have a space of their own and are exact. Identifiers and contact points lie in spaces that are
looked up across patients. Concepts share one space unless curated. What has no token is decided after opening.
"""

from collections.abc import Mapping

from fhir_profiles.dates import DATED
from hub.search.curated import CATEGORY, CODING, CONCEPT_SPACES, IN_THE_LOG, OWN_SPACE, PREFIXED, human_name
from hub.search.definitions import Defined, Part, Place
from hub.search.row import Component, Element, Parameter, Path, Where
from hub.search.systems import ELSEWHERE, OBSERVATION_CATEGORIES

NAMED_APART = frozenset({"family", "given"})
BOOLEAN_SYSTEM = "http://terminology.hl7.org/CodeSystem/special-values"

_ELEMENTS: Mapping[str, Element] = {
    "CodeableConcept": "concept",
    "Coding": "concept",
    "boolean": "boolean",
    "Identifier": "Identifier",
    "ContactPoint": "ContactPoint",
}


def derive(type: str, defined: Mapping[str, Defined], compartment: Path | None) -> dict[str, Parameter]:
    """The rows of one type. Composites come last: their parts are rows of the others."""
    owners = _Owners(type, defined, compartment)
    rows = {code: _row(type, code, one, owners) for code, one in defined.items() if one.type != "composite"}
    if rows.keys() >= NAMED_APART:
        rows["name"] = human_name()
    for code, one in defined.items():
        if one.type == "composite":
            rows[code] = _composite(code, one, rows)
    return rows


class _Owners:
    """Who writes the tokens of a path, where several parameters look at it: the one that looks at nothing else."""

    def __init__(self, type: str, defined: Mapping[str, Defined], compartment: Path | None) -> None:
        self.compartment = compartment
        self.of: dict[Path, str] = {}
        by_size = sorted(defined.items(), key=lambda item: (len(item[1].places), -len(item[1].targets) or -1_000, item[0]))
        for code, one in by_size:
            if _is_owned(type, code, one):
                for place in one.places:
                    self.of.setdefault(place.path, code)

    def spaces(self, one: Defined) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.of[place.path] for place in one.places))


def _is_owned(type: str, code: str, one: Defined) -> bool:
    """Does a parameter of this kind have a space, so that parameters of the same elements can share it?"""
    if one.type == "token":
        return _element(one) != "mixed" and (_element(one) != "concept" or code in OWN_SPACE.get(type, {}))
    return one.type == "reference" and all(place.only is None for place in one.places)


def _row(type: str, code: str, one: Defined, owners: _Owners) -> Parameter:
    if type in IN_THE_LOG and code not in IN_THE_LOG[type]:
        return _parameter(code, one, where="opened", element=_element(one), systems=one.systems, exact=False)
    match one.type:
        case "token":
            return _token(type, code, one, owners)
        case "reference":
            return _reference(type, code, one, owners)
        case "date":
            where = _date_where(type, code, one)
            return _plain(code, one, where, space=code if where == "birthdate" else None)
        case "string":
            if code in PREFIXED.get(type, ()):
                return _plain(code, one, "g", space=code)
            return _plain(code, one, "opened")
        case "uri":
            return _plain(code, one, "k", space=code) if code == "url" else _plain(code, one, "opened")
        case _:
            return _plain(code, one, "opened")


def _plain(code: str, one: Defined, where: Where, *, space: str | None = None) -> Parameter:
    return _parameter(code, one, where=where, spaces=() if space is None else (space,), writes=space, exact=where != "opened")


def _date_where(type: str, code: str, one: Defined) -> Where:
    if type == "Patient" and code == "birthdate":
        return "birthdate"
    return "de" if tuple(place.path for place in one.places) == tuple((name,) for name in DATED.get(type, ())) else "opened"


def _token(type: str, code: str, one: Defined, owners: _Owners) -> Parameter:
    element = _element(one)
    if element == "mixed":
        return _parameter(code, one, where="opened", element=element, exact=False)
    if element == "concept":
        return _concept(type, code, one, owners)
    spaces = owners.spaces(one)
    across = element in ("Identifier", "ContactPoint")
    return _parameter(
        code,
        one,
        where="g" if across else "k",
        element=element,
        spaces=tuple(map(_apart, spaces)),
        writes=_apart(code) if code in spaces else None,
        systems=(BOOLEAN_SYSTEM,) if element == "boolean" else one.systems,
        exact=all(place.only is None for place in one.places),
    )


def _concept(type: str, code: str, one: Defined, owners: _Owners) -> Parameter:
    own = OWN_SPACE.get(type, {})
    if code in own:
        return _parameter(code, one, where="k", spaces=(code,), writes=code, systems=own[code])
    paths = {place.path for place in one.places}
    if paths == {(CATEGORY,)}:
        return _parameter(code, one, where="k", spaces=(CATEGORY,), writes=CATEGORY, systems=OBSERVATION_CATEGORIES)
    if paths <= owners.of.keys():
        spaces = owners.spaces(one)
        systems = tuple(dict.fromkeys(system for space in spaces for system in own[space]))
        return _parameter(code, one, where="k", spaces=spaces, systems=systems)
    return _parameter(code, one, where="k", spaces=(CODING,), systems=ELSEWHERE, exact=False)


def _reference(type: str, code: str, one: Defined, owners: _Owners) -> Parameter:
    if any(place.only for place in one.places):
        return _plain(code, one, "opened")
    spaces = owners.spaces(one)
    within = any(place.path == owners.compartment for place in one.places) and (type not in IN_THE_LOG or code == "patient")
    return _parameter(
        code,
        one,
        where="p" if within else "k",
        spaces=tuple(map(_apart, spaces)),
        writes=_apart(code) if code in spaces else None,
        exact=all(place.kind == "Reference" for place in one.places),
    )


def _composite(code: str, one: Defined, rows: Mapping[str, Parameter]) -> Parameter:
    return Parameter(
        code=code,
        type="composite",
        paths=one.roots,
        kinds=("BackboneElement",) * len(one.roots),
        where="opened",
        exact=False,
        roots=one.roots,
        components=tuple(_component(part, rows[part.code]) for part in one.parts),
    )


def _component(part: Part, whole: Parameter) -> Component:
    parameter = Parameter(
        code=whole.code,
        type=whole.type,
        paths=tuple(place.path for place in part.places),
        kinds=tuple(place.kind for place in part.places),
        where="opened",
        element=whole.element,
        systems=whole.systems,
        targets=whole.targets,
    )
    return Component(parameter=parameter, whole=whole, absolute=any(place.absolute for place in part.places))


def _parameter(
    code: str,
    one: Defined,
    *,
    where: Where,
    element: Element = "concept",
    spaces: tuple[str, ...] = (),
    writes: str | None = None,
    systems: tuple[str, ...] = (),
    exact: bool = True,
) -> Parameter:
    return Parameter(
        code=code,
        type=one.type,
        paths=tuple(place.path for place in one.places),
        kinds=tuple(place.kind for place in one.places),
        only=_only(one.places),
        where=where,
        element=element,
        spaces=spaces,
        writes=writes,
        systems=systems,
        targets=one.targets,
        exact=exact,
    )


def _only(places: tuple[Place, ...]) -> tuple[tuple[int, str, str] | None, ...]:
    return tuple(place.only for place in places) if any(place.only for place in places) else ()


def _element(one: Defined) -> Element:
    found = {_ELEMENTS.get(place.kind, "code") for place in one.places}
    return found.pop() if len(found) == 1 else "mixed"


def _apart(code: str) -> str:
    """A space of codes or references may not bear the name of one of concepts, or a Consent's code would find it."""
    return f"{code}." if code in CONCEPT_SPACES else code
