"""Resources of any type of R4, made from the definitions: right ones, with every kind of element somewhere.

    resource(type, seeded(7))     one resource, with a random.Random: same seed, same resource
    resources(types)              the same as a hypothesis strategy, which shrinks to a small one
    value(type, chance)           one value of a data type or primitive type

What no structure says, constraints say; what breaks one is made smaller until none is broken (`r4.check` is asked).
Decimals are `hub.numbers.Decimal`: write the resource with `hub.numbers.dumps`, and the digits stay.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random
from typing import Any, Final

from hypothesis import reject
from hypothesis import strategies as st

from fhir_profiles import r4
from fhir_profiles.definitions import RESOURCE_TYPES, Definition, Element, Type, definition, required_codes
from hub.numbers import Decimal

Json = dict[str, Any]
Refer = Callable[[tuple[str, ...], Random], str]

FULLNESS: Final = 0.25
"""How probable an element that may be missing is at the top; half of it one level further in."""

DEPTH_MAX: Final = 6
MANY_MAX: Final = 3

_TEXTS: Final = (
    *(
        "a",
        "Étienne d’Arc",
        "x < y & z > \"q\" 'r'",
        "  two  blanks ",
        "line\nbreak",
        "tab\there",
        "日本語",
        "𝄞 clef",
        "]]>",
        "&amp;",
        "<!-- -->",
    ),
    *("null", "true", "0", "-", "\u00a0", "é", "a\r\nb"),
)
_DIVS: Final = (
    '<div xmlns="http://www.w3.org/1999/xhtml">text</div>',
    '<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr"><p id="a">é &amp; &lt; <b>x</b><br/>y</p><!-- said --></div>',
    "<div xmlns='http://www.w3.org/1999/xhtml'>\n  <table><tr><td colspan=\"2\">1 &#160; 2</td></tr></table>\n</div>",
)
_DECIMALS: Final = (
    "0",
    "116.0",
    "74.10",
    "-0.0",
    "1.23E-5",
    "1e3",
    "100",
    "0.000000000000000001",
    "999999999999999999",
    "3.141592653589793238",
)
_CODES: Final = {
    "http://hl7.org/fhir/ValueSet/mimetypes": ("text/plain", "application/pdf"),
    "http://hl7.org/fhir/ValueSet/languages": ("fr-FR", "en"),
    "http://hl7.org/fhir/ValueSet/currencies": ("EUR", "USD"),
}
_CONCEPTS: Final = {"http://hl7.org/fhir/ValueSet/ucum-units": {"http://unitsofmeasure.org": ("mg", "/min", "%")}}
_ENOUGH: Final[Mapping[str, Json]] = {
    "Bundle": {"type": "collection"},
    "Consent": {"policyRule": {"text": "opt-in"}},
    "CapabilityStatement": {"kind": "requirements", "rest": [{"mode": "server"}]},
    "Group": {"actual": True},
    "MolecularSequence": {"coordinateSystem": 1},
    "StructureDefinition": {"differential": {"element": [{"id": "Essai", "path": "Essai"}]}},
    "Organization": {"name": "Clinic"},
}
"""What a type needs beyond the elements it requires, for the sake of its constraints."""

_INSIDE: Final = ("Organization", "Device", "Observation", "Medication")
"""What stands inside other resources: small, and no container itself."""


def refer(targets: tuple[str, ...], chance: Random) -> str:
    """A literal reference to one of the types that the element may point to."""
    known = [target for target in targets if target in RESOURCE_TYPES]
    return f"{chance.choice(known or ['Organization'])}/{_id(chance)}"


def resource(type: str, chance: Random, *, fullness: float = FULLNESS, refer: Refer = refer) -> Json:
    """One resource that `r4.check` has nothing against."""
    return _right(_Maker(chance, fullness, refer).resource(type, 0), chance)


def rough(type: str, chance: Random, *, fullness: float = FULLNESS) -> Json:
    """One resource whose structure is right; it may break any constraint."""
    return _Maker(chance, fullness, refer).resource(type, 0)


def value(type: str, chance: Random, *, fullness: float = FULLNESS) -> Any:
    return _Maker(chance, fullness, refer).typed(Type(code=type), None, 1)


def resources(types: Iterable[str] = RESOURCE_TYPES, *, fullness: float = FULLNESS, refer: Refer = refer) -> st.SearchStrategy[Json]:
    """A hypothesis strategy; each random choice is one that hypothesis makes, so that it can look for a simpler one."""
    chances = st.randoms(use_true_random=False)
    return st.builds(partial(resource, fullness=fullness, refer=refer), st.sampled_from(sorted(types)), chances)


def seeded(*seed: object) -> Random:
    """The chance that gives the same resource each time."""
    return Random(" ".join(map(str, seed)))


class _Maker:
    def __init__(self, chance: Random, fullness: float, refer: Refer) -> None:
        self.chance = chance
        self.fullness = fullness
        self.refer = refer

    def happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def resource(self, type: str, depth: int) -> Json:
        return {"resourceType": type, **self.object(definition(type), depth), **_ENOUGH.get(type, {})}

    def object(self, found: Definition, depth: int) -> Json:
        """Required elements, and some of the others; elements that hold resources are rare."""
        made: Json = {}
        for element in found.elements:
            if element.maximum == 0 or not self.is_there(element, depth):
                continue
            type = self.chance.choice(element.types) if element.types else Type(code="BackboneElement")
            count = 1 if not element.many else self.chance.randint(1, 1 + (MANY_MAX - 1) // (depth + 1))
            name = element.json_name(type)
            items = [self.typed(type, element, depth + 1) for _ in range(count)]
            if element.name == "contained":
                items = [self.contained(item, index) for index, item in enumerate(items)]
            made[name] = items if element.many else items[0]
            if element.extensible and type.is_primitive and self.happens(0.05):
                made |= self.extended(name, made[name], element)
        if made.keys() - {"id"} or "extension" not in found.named or not depth:
            return made
        return {**made, "extension": [self.extension(depth)]}  # ele-1: an id alone is no content

    def contained(self, inside: Json, index: int) -> Json:
        """dom-3: what is contained is referred to, or refers to what contains it."""
        id = f"c{index}"
        link = {"url": "http://example.org/link", "valueReference": {"reference": self.chance.choice(["#", f"#{id}"])}}
        return {**inside, "id": id, "extension": [link]}

    def is_there(self, element: Element, depth: int) -> bool:
        if element.minimum:
            return True
        if depth >= DEPTH_MAX:
            return False
        rare = 0.2 if element.name in {"extension", "modifierExtension", "contained"} or element.types == (Type(code="Resource"),) else 1
        return self.happens(self.fullness * rare / 2**depth)

    def extended(self, name: str, said: Any, element: Element) -> Json:
        """Extensions of a primitive, beside its value or in place of it. https://hl7.org/fhir/R4/json.html#primitive"""
        sibling = {"extension": [self.extension(1)]}
        if element.many:
            return {name: [*said, None], f"_{name}": [*([None] * len(said)), sibling]}
        return {f"_{name}": sibling | ({"id": "e1"} if self.happens(0.3) else {})}

    def extension(self, depth: int) -> Json:
        name = self.chance.choice(["valueString", "valueDecimal", "valueBoolean", "valueCode", "valueDateTime"])
        simple = {"url": "http://example.org/e", name: _PRIMITIVES[name[5].lower() + name[6:]](self.chance)}
        return {"url": "http://example.org/outer", "extension": [simple]} if depth < 2 and self.happens(0.2) else simple

    def typed(self, type: Type, element: Element | None, depth: int) -> Any:
        if type.code == "Extension":
            return self.extension(depth)
        if type.code == "Resource":
            return _right(_Maker(self.chance, 0.0, self.refer).resource(self.chance.choice(_INSIDE), depth), self.chance)
        if type.code == "Reference":
            return {"reference": self.refer(type.targets, self.chance)} | ({"display": "x"} if self.happens(0.2) else {})
        if type.code == "code" and element is not None and element.binding is not None:
            return self.code(element.binding.value_set) if element.binding.strength == "required" else _code(self.chance)
        if type.code == "CodeableConcept" and element is not None and (asked := self.concept(element)) is not None:
            return asked
        if type.is_primitive:
            return _PRIMITIVES[type.code](self.chance)
        inside = element.structure if element is not None else None
        return self.object(definition(inside or type.profile or type.code), depth)

    def concept(self, element: Element) -> Json | None:
        """One that a required binding takes; None where none is asked for."""
        if element.binding is None or element.binding.strength != "required":
            return None
        systems = required_codes(element.binding.value_set) or _CONCEPTS.get(element.binding.value_set)
        if systems is None:
            return None
        system = self.chance.choice(sorted(systems))
        return {"coding": [{"system": system, "code": self.chance.choice(systems[system])}]}

    def code(self, value_set: str) -> str:
        systems = required_codes(value_set)
        listed = [code for codes in systems.values() for code in codes] if systems else _CODES.get(value_set, ("x",))
        return self.chance.choice(listed)


ATTEMPTS = 24


def _right(made: Json, chance: Random) -> Json:
    """Take away what breaks a constraint: the innermost object that is said to, else all that is not required.

    What a constraint asks for and nothing required gives is given by chance: fuller and fuller attempts.
    """
    type = made["resourceType"]
    for attempt in range(ATTEMPTS):
        for _ in range(20):
            problems = r4.check(made)
            if not problems:
                return made
            _without(made, problems[0].expression.split(".")[1:])
        made = _Maker(chance, attempt / ATTEMPTS, refer).resource(type, 0)
    return reject()


def _without(made: Json, steps: list[str]) -> None:
    """Remove what an expression points to, or the innermost optional thing that holds it."""
    place: Any = made
    found = definition(made["resourceType"])
    optional: tuple[Json, str] | None = None
    for step in steps:
        if not isinstance(place, dict):
            break
        path = step.partition("[")[0]
        name = next((name for name in place if (known := found.named.get(name)) is not None and known.element.name == path), None)
        if name is None:
            break
        element, type = found.named[name]
        if not element.minimum:
            optional = place, name
        if type.is_primitive or type.code == "Resource":
            break
        found = definition(element.structure or type.profile or type.code)
        index = step.partition("[")[2].rstrip("]")
        place = place[name][int(index)] if index else place[name]
    if optional is not None:
        del optional[0][optional[1]]
        optional[0].pop(f"_{optional[1]}", None)
        return
    removable = [
        name
        for name, known in found.named.items()
        if name in made and not known.element.minimum and name not in _ENOUGH.get(found.name, {})
    ]
    for name in removable[-1:]:
        del made[name]
        made.pop(f"_{name}", None)


def _id(chance: Random) -> str:
    return "".join(chance.choices("abcdefXYZ0123456789-.", k=chance.randint(1, 12)))


def _code(chance: Random) -> str:
    return chance.choice(["active", "a-b", "one two", "é", "x<y"])


def _day(chance: Random) -> str:
    return f"{chance.randint(1901, 2037):04}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


def _date(chance: Random) -> str:
    return _day(chance)[: chance.choice([4, 7, 10])]


def _time(chance: Random) -> str:
    fraction = chance.choice(["", "", ".5", ".123", ".000"])
    return f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}{fraction}"


def _instant(chance: Random) -> str:
    return f"{_day(chance)}T{_time(chance)}{chance.choice(['Z', '+00:00', '+01:00', '-05:30', '+14:00'])}"


def _uri(chance: Random) -> str:
    return chance.choice(
        ["http://example.org/a", "urn:oid:1.2.3", "http://example.org/b?x=1&y=<2>", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"]
    )


def _text(chance: Random) -> str:
    return chance.choice(_TEXTS)


_PRIMITIVES: Final[Mapping[str, Callable[[Random], Any]]] = {
    "base64Binary": lambda chance: chance.choice(["aGVsbG8=", "AA==", "YQ=="]),
    "boolean": lambda chance: chance.random() < 0.5,
    "canonical": _uri,
    "code": _code,
    "date": _date,
    "dateTime": lambda chance: _date(chance) if chance.random() < 0.5 else _instant(chance),
    "decimal": lambda chance: Decimal(chance.choice(_DECIMALS)),
    "id": _id,
    "instant": _instant,
    "integer": lambda chance: chance.randint(-(2**31), 2**31 - 1),
    "markdown": _text,
    "oid": lambda chance: f"urn:oid:1.2.{chance.randint(0, 999)}",
    "positiveInt": lambda chance: chance.randint(1, 2**31 - 1),
    "string": _text,
    "time": _time,
    "unsignedInt": lambda chance: chance.randint(0, 2**31 - 1),
    "uri": _uri,
    "url": _uri,
    "uuid": lambda chance: (
        "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8" if chance.random() < 0.5 else "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
    ),
    "xhtml": lambda chance: chance.choice(_DIVS),
}
