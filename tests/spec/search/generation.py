"""Random resources of any type and random searches for them, over one small vocabulary, so that they meet often.

    resource(random, type)            a resource in which some of what the type's parameters look at is there
    criterion(random, type)           (name, value) of one parameter of the type, with any modifier it takes
    case(random)                      a resource and a search of its type

Everything comes from the rows (`hub.search.parameters`) and HL7's definitions, so that a new row is tried without more.
What is made is what the hub looks at; it need not pass validation.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from fhir_profiles.definitions import definition
from hub.search.grammar import escape
from hub.search.parameters import RESOURCE_TYPES, Only, Parameter, Path
from hub.search.systems import LOINC, MDC, UCUM
from hub.search.types import SEARCH_TYPES
from tests.spec.search.given import BASE

Json = dict[str, Any]
Pair = tuple[str, str]

IDS = ("1", "2", "p")
SYSTEMS = (None, LOINC, MDC, "urn:local", "*", "a|b", "a\\", "http://terminology.hl7.org/CodeSystem/v3-ActCode")
CODES = ("8867-4", "8480-6", "vital-signs", "A", "a", "x|y", "b,c", "*|A", "p$q", "AMB")
STATUSES = ("final", "active", "R", "0", "female", "draft")
WORDS = ("Jean-Pierre", "jean", "O'Brien", "Dupont", "Wolfeschlegelstein", "Wolfeschlegelsteiner", "Zoé", "Li", "3", "du Pont")
DATES = (
    "2025",
    "2026",
    "2026-01",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "2026-01-31T23:59:59.999Z",
    "2026-01-31T23:30:00-05:00",
    "2026-02-01",
)
INSTANTS = tuple(text for text in DATES if "T" in text)
BIRTHS = ("1700", "1849-12-31", "1850", "1980", "1980-03", "1980-03-05", "2101-01-01")
FAR = "https://other.example/fhir/"
TARGETS = ("Patient", "Group", "Device", "Practitioner", "Organization")
URLS = ("http://a.example/x", "http://a.example/x/y", "http://a.example/xy", "urn:oid:1.2", "urn:oid:1.2.3", "http://a.example/x/")
VERSIONS = ("", "", "|1", "|2")
NUMBERS = ("0", "1", "2", "100", "99.5", "100.4", "99.499", "100.5", "-3", "0.005", "5", "5.0", "110", "90.0")
ASKED_NUMBERS = (*NUMBERS, "100.0", "100.00", "1e2", "1.0e2", "5e-3", "0.0")
UNITS: Sequence[Json] = (
    {},
    {"unit": "mg"},
    {"system": UCUM, "code": "mg", "unit": "milligram"},
    {"system": UCUM, "code": "g"},
    {"system": UCUM, "code": "kg"},
    {"system": UCUM, "code": "mm[Hg]"},
    {"system": UCUM, "code": "Cel"},
    {"system": UCUM, "code": "K"},
    {"system": "urn:units", "code": "mg"},
)
ASKED_UNITS = ("", "||mg", "||milligram", f"|{UCUM}|mg", f"|{UCUM}|g", f"|{UCUM}|K", "|urn:units|mg", f"|{UCUM}|", f"|{UCUM}|Cel")
CURRENCIES = ("EUR", "USD")
VALUE_SETS = ("http://hl7.org/fhir/ValueSet/observation-status", "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode")


def _of(random: Random, **parts: Callable[[Random], Any]) -> Json:
    """Some of the parts."""
    return {name: make(random) for name, make in parts.items() if random.random() < 0.7}


def _one_of(*options: Any) -> Callable[[Random], Any]:
    return lambda random: random.choice(options)


def _some(make: Callable[[Random], Any]) -> Callable[[Random], list[Any]]:
    return lambda random: [make(random) for _ in range(random.choice((1, 1, 2)))]


def coding(random: Random) -> Json:
    if random.random() < 0.1:
        return {"system": LOINC}
    system, code = random.choice(SYSTEMS), random.choice(CODES)
    made = {"code": code} if system is None else {"system": system, "code": code}
    return made | ({"display": text(random)} if random.random() < 0.3 else {})


def concept(random: Random) -> Json:
    return _of(random, coding=_some(coding), text=text)


def text(random: Random) -> str:
    return " ".join(random.choice(WORDS) for _ in range(random.choice((1, 1, 2))))


def identifier(random: Random) -> Json:
    return _of(random, system=_one_of(*[s for s in SYSTEMS if s]), value=_one_of(*CODES), type=concept)


def quantity(random: Random) -> Json:
    made = {"value": number(random), **random.choice(UNITS)}
    if random.random() < 0.15:
        made["comparator"] = random.choice(("<", "<=", ">", ">="))
    return made


def number(random: Random) -> float | int:
    chosen = random.choice(NUMBERS)
    return float(chosen) if "." in chosen else int(chosen)


def period(random: Random) -> Json:
    return _of(random, start=_one_of(*DATES[:2]), end=_one_of(*DATES[2:]))


def timing(random: Random) -> Json:
    return _of(random, event=_some(_one_of(*DATES)), repeat=lambda random: _of(random, boundsPeriod=period))


def reference(random: Random, targets: Sequence[str]) -> Json:
    def literal(random: Random) -> str:
        if random.random() < 0.1:
            return random.choice(("#1", "urn:uuid:1"))
        front, back = random.choice(("", "", f"{BASE}/", FAR)), random.choice(("", "", "/_history/1"))
        return f"{front}{random.choice(targets)}/{random.choice(IDS)}{back}"

    return _of(random, reference=literal, identifier=identifier, display=_one_of("x"))


def canonical(random: Random) -> str:
    return random.choice(URLS) + random.choice(VERSIONS)


KINDS: Mapping[str, Callable[[Random], Any]] = {
    "CodeableConcept": concept,
    "Coding": coding,
    "code": _one_of(*STATUSES),
    "id": _one_of(*IDS),
    "boolean": _one_of(True, False),
    "Identifier": identifier,
    "ContactPoint": lambda random: _of(random, system=_one_of("phone", "email"), value=_one_of(*CODES), use=_one_of("home")),
    "string": text,
    "markdown": text,
    "HumanName": lambda random: _of(random, text=text, family=text, given=_some(text), prefix=_some(text)),
    "Address": lambda random: _of(random, text=text, line=_some(text), city=text, postalCode=text, country=text, use=_one_of("home")),
    "date": _one_of(*[text for text in DATES if "T" not in text]),
    "dateTime": _one_of(*DATES),
    "instant": _one_of(*INSTANTS),
    "Period": period,
    "Timing": timing,
    "canonical": canonical,
    "uri": _one_of(*URLS),
    "url": _one_of(*URLS),
    "oid": _one_of("urn:oid:1.2"),
    "Quantity": quantity,
    "Age": quantity,
    "Duration": quantity,
    "Money": lambda random: {"value": number(random), "currency": random.choice(CURRENCIES)},
    "Range": lambda random: _of(random, low=quantity, high=quantity),
    "SampledData": lambda random: {"origin": quantity(random), "period": 10, "dimensions": 1, "data": "1 2 E"},
    "decimal": number,
    "integer": lambda random: int(number(random)),
    "positiveInt": lambda random: abs(int(number(random))) + 1,
    "unsignedInt": lambda random: abs(int(number(random))),
}


def resource(random: Random, type: str) -> Json:
    made: Json = {"resourceType": type, "id": random.choice(IDS), "meta": {"lastUpdated": random.choice(INSTANTS)}}
    rows = [row for row in RESOURCE_TYPES[type].parameters.values() if row.paths and row.type not in ("id", "composite")]
    for row in random.sample(rows, min(len(rows), random.randint(1, 6))):
        for place in random.sample(range(len(row.paths)), min(len(row.paths), random.choice((1, 1, 2)))):
            put(made, type, row.paths[place], element_of(random, row, place), only=row.only[place] if row.only else None)
    return made


def element_of(random: Random, row: Parameter, place: int) -> Any:
    kind = row.kinds[place]
    if row.where == "birthdate":
        return random.choice(BIRTHS)
    if kind == "Reference":
        return reference(random, row.targets[:3] or TARGETS)
    if kind == "code" and row.systems and random.random() < 0.5:
        return random.choice(("final", "active", "amended"))
    return KINDS[kind](random)


def put(made: Json, type: str, path: Path, element: Any, *, only: Only | None = None) -> None:
    """Sets what stands at the path, arrays where HL7 has arrays; what is there already stays beside it where it may."""
    node, structure = made, type
    for place, name in enumerate(path):
        named = definition(structure).named[name]
        last = place == len(path) - 1
        inner: Any = element if last else {}
        if only is not None and only[0] == place:
            inner = {**inner, only[1]: only[2]}
        _drop_other_choices(node, structure, name)
        if named.element.many:
            there = node.setdefault(name, [])
            if last or not there or only is not None:
                there.append(inner)
            node = there[-1]
        else:
            if last or name not in node:
                node[name] = inner
            node = node[name]
        structure = named.element.structure or named.type.code


def _drop_other_choices(node: Json, structure: str, name: str) -> None:
    """Of a choice of types one is there."""
    element = definition(structure).named[name].element
    for other in element.types:
        if element.choice and element.json_name(other) != name:
            node.pop(element.json_name(other), None)


def criterion(random: Random, type: str) -> Pair:
    row = random.choice(list(RESOURCE_TYPES[type].parameters.values()))
    known = sorted(SEARCH_TYPES[row.type].modifiers(row)) + (["missing"] if row.type != "id" else [])
    modifier = random.choice(known) if known and random.random() < 0.4 else ""
    if modifier == "[type]":
        modifier = random.choice(row.targets or TARGETS)
    values = [value_of(random, row, modifier) for _ in range(random.choice((1, 1, 2)))]
    return (f"{row.code}:{modifier}" if modifier else row.code, ",".join(values))


def value_of(random: Random, row: Parameter, modifier: str) -> str:
    if modifier == "missing":
        return random.choice(("true", "false"))
    return _VALUES[row.type](random, row, modifier)


def _id(random: Random, _row: Parameter, _modifier: str) -> str:
    return random.choice(IDS)


def _date(random: Random, row: Parameter, _modifier: str) -> str:
    prefix = random.choice(("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))
    return prefix + random.choice(BIRTHS if row.where == "birthdate" else DATES)


def _string(random: Random, _row: Parameter, _modifier: str) -> str:
    return escape(text(random))


def _uri(random: Random, _row: Parameter, _modifier: str) -> str:
    return escape(random.choice(URLS) + random.choice(VERSIONS)) if random.random() < 0.8 else "a.example"


def _number(random: Random, _row: Parameter, _modifier: str) -> str:
    return random.choice(("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")) + random.choice(ASKED_NUMBERS)


def _quantity(random: Random, row: Parameter, modifier: str) -> str:
    if "Money" in row.kinds:
        return _number(random, row, modifier) + random.choice(("", "||EUR", "|urn:iso:std:iso:4217|EUR"))
    return _number(random, row, modifier) + random.choice(ASKED_UNITS)


def _token(random: Random, row: Parameter, modifier: str) -> str:
    match modifier:
        case "text":
            return escape(text(random))
        case "of-type":
            return "|".join(escape(one) for one in (random.choice([s for s in SYSTEMS if s]), random.choice(CODES), random.choice(CODES)))
        case "in" | "not-in":
            return random.choice(VALUE_SETS)
        case "above" | "below":
            return "http://terminology.hl7.org/CodeSystem/v3-ActCode|" + random.choice(("AMB", "_ActEncounterCode"))
    if row.element == "boolean" or row.code == "deceased":
        return random.choice(("true", "false"))
    code = escape(random.choice(_codes(row)))
    system = escape(random.choice([one or "" for one in (*SYSTEMS, *row.systems)]))
    return random.choice([code, f"{system}|{code}", *([f"{system}|"] if system else [])])


def _codes(row: Parameter) -> Sequence[str]:
    kinds = set(row.kinds)
    if kinds & {"string"}:
        return WORDS
    if kinds & {"uri", "canonical"}:
        return URLS
    return (*STATUSES, "amended") if row.element == "code" else CODES


def _reference(random: Random, row: Parameter, modifier: str) -> str:
    if "Reference" not in row.kinds:
        return escape(canonical(random))
    if modifier == "identifier":
        return _token(random, RESOURCE_TYPES["Patient"].parameters["identifier"], "")
    id, targets = random.choice(IDS), row.targets[:3] or TARGETS
    type = modifier or random.choice(targets)
    forms = [f"{type}/{id}", f"{BASE}/{type}/{id}", f"{FAR}{type}/{id}"]
    return random.choice(forms + ([id] if row.targets or modifier else []))


def _composite(random: Random, row: Parameter, _modifier: str) -> str:
    return "$".join(value_of(random, one.parameter, "") for one in row.components)


_VALUES: Mapping[str, Callable[[Random, Parameter, str], str]] = {
    "id": _id,
    "date": _date,
    "string": _string,
    "uri": _uri,
    "number": _number,
    "quantity": _quantity,
    "token": _token,
    "reference": _reference,
    "composite": _composite,
}


def case(random: Random, types: Sequence[str] = tuple(RESOURCE_TYPES)) -> tuple[Json, tuple[Pair, ...]]:
    """A resource and the pairs of a search for its type."""
    type = random.choice(types)
    return resource(random, type), tuple(criterion(random, type) for _ in range(random.choice((1, 1, 2, 3))))
