"""The plan of indexing: for each type, which element feeds which tokens, and one walk that follows it.

What no parameter of the type covers is scanned all the same: every coding outside `meta` gets a token in the space
"coding" (a consent may speak of any of them), and every reference to a patient is noted (that patient must permit).
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from hub.errors import FhirError
from hub.search import birthdate
from hub.search.concepts import ANY_SYSTEM, NO_SYSTEM, prefix
from hub.search.curated import CATEGORY, CODING
from hub.search.elements import elements, texts
from hub.search.parameters import RESOURCE_TYPES, Parameter, Path, ResourceType
from hub.search.references import ABSOLUTE, literal, patient_id
from hub.search.systems import ELSEWHERE, OBSERVATION_CATEGORIES
from hub.search.times import element_range
from hub.search.value import Resource, Token
from hub.search.words import prefixes

PROFILE, TAG, SECURITY, SOURCE = "_profile", "_tag", "_security", "_source"
NAME_CHARS_MAX = 1_024
"""Of a string that is searched: each of its words has tokens."""
QUANTITY_KEYS = frozenset({"value", "unit", "comparator"})
"""A Quantity has a system and a code too, those of its unit; it is no coding."""
ELSEWHERE_KNOWN = frozenset(ELSEWHERE)
NAMING = frozenset({"reference", "fullUrl"})
"""Elements that may name a patient of ours: of a Reference, and of an entry in a Bundle that is kept."""


class Gathered:
    """What the walk has found so far. `named`: ids of patients of ours that are referred to."""

    __slots__ = ("base", "end_us", "g", "k", "named", "patient", "start_us", "token")

    def __init__(self, token: Token, base: str) -> None:
        self.token, self.base = token, base
        self.k: set[bytes] = set()
        self.g: set[bytes] = set()
        self.named: set[str] = set()
        self.patient: str | None = None
        self.start_us: int | None = None
        self.end_us: int | None = None


Action = Callable[[Any, Gathered], None]
"""Takes one repetition of an element."""


class Step(NamedTuple):
    """What to do at an element. `covers`: the actions have seen to everything inside it."""

    actions: tuple[Action, ...] = ()
    inner: "Plan | None" = None
    covers: bool = False


Plan = Mapping[str, Step]


def walk(node: Resource, steps: Plan, gathered: Gathered) -> None:
    for name, value in node.items():
        step = steps.get(name)
        if step is None:
            if value.__class__ is dict or value.__class__ is list:
                scan(value, gathered)
            continue
        actions, inner, covers = step
        for item in value if value.__class__ is list else (value,):
            if item is None:  # the place of a primitive's extension
                continue
            for action in actions:
                action(item, gathered)
            if item.__class__ is not dict:
                continue
            if inner is not None:
                walk(item, inner, gathered)
            elif not covers:
                scan(item, gathered)


def scan(value: Any, gathered: Gathered) -> None:
    """Codings and patients in what no step covers."""
    if value.__class__ is list:
        for item in value:
            if item.__class__ is dict:
                scan(item, gathered)
        return
    for name, inner in value.items():
        kind = inner.__class__
        if kind is str:
            if name in NAMING:
                _name_patient(inner, gathered)
            elif name == "code" and QUANTITY_KEYS.isdisjoint(value):
                _coding(value, CODING, ELSEWHERE_KNOWN, gathered)
        elif kind is dict or kind is list:
            if name == "resource" and kind is dict and inner.get("resourceType") == "Patient":
                _patient_inside(inner, value, gathered)
            scan(inner, gathered)


@cache
def plan(type: str) -> Plan:
    """The plan of a type that has a row."""
    row = RESOURCE_TYPES[type]
    steps: dict[str, Any] = {"meta": Step((_meta,), covers=True)}
    if row.compartment not in (None, ("id",)):
        _place(steps, row.compartment or (), _compartment, covers=False)
    for parameter in row.parameters.values():
        for place, path in enumerate(parameter.paths):
            if path[:1] != ("meta",) and _writes(parameter, path, row):
                _place_parameter(steps, parameter, place, row)
    if row.category and not any(parameter.writes == CATEGORY for parameter in row.parameters.values()):
        _place(steps, (CATEGORY,), _concept(CATEGORY, OBSERVATION_CATEGORIES), covers=True)
    return steps


def canonical(url: str) -> str:
    """A profile's URL without its business version."""
    return url.partition("|")[0]


def _writes(parameter: Parameter, path: Path, row: ResourceType) -> bool:
    """Does this parameter feed its own space from here, or does another one's token already say it?"""
    if parameter.where == "de":
        return True
    if parameter.writes is None:
        return False
    others = (one for one in row.parameters.values() if one.writes in parameter.spaces and one.code != parameter.code)
    return not any(path in other.paths for other in others)


def _place_parameter(steps: dict[str, Any], parameter: Parameter, place: int, row: ResourceType) -> None:
    path, space = parameter.paths[place], parameter.writes or ""
    match parameter.type:
        case "string":
            _place(steps, path[:1], _string(space, parameter.kinds[place], path[1:]), covers=False)
        case "reference" if parameter.kinds[place] == "Reference":
            told = row.compartment_space == parameter.code
            _place(steps, path, _reference(space, told_by_compartment=told), covers=True)
        case "reference" | "uri":
            _place(steps, path, _uri(space), covers=False)
        case "date":
            _place(steps, path, _birth_date(space) if parameter.where == "birthdate" else _effective(row, path), covers=False)
        case _ if parameter.element == "concept":
            _place(steps, path, _concept(space, parameter.systems), covers=True)
        case _:
            _place(steps, path, _TOKENS[parameter.element](space), covers=False)


def _place(steps: dict[str, Any], path: Path, action: Action, *, covers: bool) -> None:
    step = steps.get(path[0], Step())
    if len(path) > 1:
        inner = dict(step.inner or {})
        _place(inner, path[1:], action, covers=covers)
        steps[path[0]] = step._replace(inner=inner)
        return
    steps[path[0]] = step._replace(actions=(*step.actions, action), covers=step.covers or covers)


_LABELS: Mapping[str, str] = {"tag": TAG, "security": SECURITY}


def _meta(meta: Any, gathered: Gathered) -> None:
    """Profiles have tokens; the labels in `meta` are no codings of the resource, but whom it names counts here too."""
    for name, value in meta.items():
        if name == "profile":
            for url in value:
                if url is not None:
                    gathered.k.add(gathered.token(PROFILE, canonical(url)))
        elif name == "source":
            gathered.k.add(gathered.token(SOURCE, canonical(value)))
        elif value.__class__ is list or value.__class__ is dict:
            if name in _LABELS:
                for coding in value:
                    _coding(coding, _LABELS[name], frozenset(), gathered)
            labels = Gathered(gathered.token, gathered.base)
            scan(value, labels)
            gathered.named |= labels.named


def _compartment(element: Any, gathered: Gathered) -> None:
    if gathered.patient is None and "reference" in element:
        gathered.patient = patient_id(element["reference"], gathered.base)


def _name_patient(reference: str, gathered: Gathered) -> None:
    found = patient_id(reference, gathered.base) if "Patient/" in reference else None
    if found is not None:
        gathered.named.add(found)


def _patient_inside(patient: Any, entry: Any, gathered: Gathered) -> None:
    """A Patient in the entry of a Bundle is one of ours by its id, unless the full URL says that it is of another server."""
    elsewhere = ABSOLUTE.fullmatch(str(entry.get("fullUrl"))) is not None and patient_id(entry["fullUrl"], gathered.base) is None
    if patient.get("id") and not elsewhere:
        gathered.named.add(patient["id"])


def _concept(space: str, systems: tuple[str, ...]) -> Action:
    known = frozenset(systems)

    def act(concept: Any, gathered: Gathered) -> None:
        codings = concept.get("coding")
        for coding in (concept,) if codings is None else codings:
            _coding(coding, space, known, gathered)
            _scan_inside(coding, gathered)
        if codings is not None and len(concept) > 1:
            _scan_inside({name: value for name, value in concept.items() if name != "coding"}, gathered)

    return act


def _scan_inside(coding: Any, gathered: Gathered) -> None:
    """Extensions, also those of its primitives, may name anybody."""
    for value in coding.values():
        if value.__class__ is list or value.__class__ is dict:
            scan(value, gathered)


def _coding(coding: Any, space: str, known: frozenset[str], gathered: Gathered) -> None:
    code, system = coding.get("code"), coding.get("system")
    if not code:
        return
    if not system:
        gathered.k.add(gathered.token(space, NO_SYSTEM + code))
        return
    gathered.k.add(gathered.token(space, prefix(system) + code))
    if system not in known:
        gathered.k.add(gathered.token(space, ANY_SYSTEM + code))


def _code(space: str) -> Action:
    def act(code: Any, gathered: Gathered) -> None:
        gathered.k.add(gathered.token(space, NO_SYSTEM + code))

    return act


def _boolean(space: str) -> Action:
    def act(value: Any, gathered: Gathered) -> None:
        gathered.k.add(gathered.token(space, NO_SYSTEM + ("true" if value else "false")))

    return act


def _identifier(space: str) -> Action:
    def act(identifier: Any, gathered: Gathered) -> None:
        value, system = identifier.get("value"), identifier.get("system")
        if not value:
            return
        gathered.g.add(gathered.token(space, ANY_SYSTEM + value))
        gathered.g.add(gathered.token(space, prefix(system) + value if system else NO_SYSTEM + value))

    return act


def _contact_point(space: str) -> Action:
    def act(contact: Any, gathered: Gathered) -> None:
        if contact.get("value"):
            gathered.g.add(gathered.token(space, contact["value"]))

    return act


_TOKENS: Mapping[str, Callable[[str], Action]] = {
    "code": _code,
    "boolean": _boolean,
    "Identifier": _identifier,
    "ContactPoint": _contact_point,
}


def _uri(space: str) -> Action:
    def act(uri: Any, gathered: Gathered) -> None:
        gathered.k.add(gathered.token(space, canonical(uri)))

    return act


def _reference(space: str, *, told_by_compartment: bool) -> Action:
    def act(element: Any, gathered: Gathered) -> None:
        reference = literal(element["reference"], gathered.base) if "reference" in element else None
        if reference is not None:
            to_patient = reference.startswith("Patient/")
            if to_patient:
                gathered.named.add(reference[len("Patient/") :])
            if not (to_patient and told_by_compartment):
                gathered.k.add(gathered.token(space, reference))
        if len(element) > 1 or "reference" not in element:
            scan(element, gathered)

    return act


def _string(space: str, kind: str, rest: Path) -> Action:
    def act(element: Any, gathered: Gathered) -> None:
        for found in elements(element, rest):
            for text in texts(kind, found):
                if len(text) > NAME_CHARS_MAX:
                    raise FhirError("too-long", f"A name is longer than {NAME_CHARS_MAX} characters.")
                gathered.g.update(gathered.token(space, start) for start in prefixes(text))

    return act


def _birth_date(space: str) -> Action:
    def act(birth_date: Any, gathered: Gathered) -> None:
        gathered.g.update(gathered.token(space, text) for text in birthdate.row_texts(birth_date))

    return act


def _effective(row: ResourceType, path: Path) -> Action:
    place = ".".join((row.name, *path))

    def act(element: Any, gathered: Gathered) -> None:
        try:
            found = element_range(element)
        except (TypeError, ValueError) as error:
            raise FhirError("value", f"{place} is not a date, or ends before it starts.", expression=place) from error
        if found is not None:
            gathered.start_us, gathered.end_us = found

    return act
