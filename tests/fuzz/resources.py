"""Resources made from HL7's definitions: what must be there, some of what may, values that fit their types; all from one seed."""

from random import Random
from typing import Any

from fhir_profiles.definitions import DATA_TYPES, RESOURCE_TYPES, Element, Type, definition, required_codes

Json = dict[str, Any]

CANARY = "zq7canary"
"""In every text we invent: no error may repeat one (law 4)."""
DEPTH_MAX = 5
OPTIONAL = 0.08
NEVER = frozenset({"contained", "extension", "modifierExtension", "implicitRules", "id", "meta", "text", "language"})
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
PLAIN_CODES = {"mimetypes": "text/plain", "currencies": "EUR", "ucum-units": "mm", "languages": "fr", "all-languages": "fr"}


class Maker:
    """`references` are places that exist, by type."""

    def __init__(self, random: Random, references: dict[str, list[str]]) -> None:
        self._random, self._references = random, references

    def resource(self, type: str, patient: str, **fixed: Any) -> Json:
        """One of this type, about this patient wherever it may name one."""
        made = {"resourceType": type, **self._structure(type, 0)}
        for name in ("subject", "patient", "beneficiary", "individual", "for"):
            named = definition(type).named.get(name)
            if named is not None and named.type.code == "Reference" and "Patient" in named.type.targets:
                made[name] = [{"reference": patient}] if named.element.many else {"reference": patient}
        if type in ("Observation", "Condition", "Flag", "Device"):
            made.setdefault("code", self._concept()) if type != "Device" else None
        return {**made, **fixed}

    def text(self) -> str:
        return f"{CANARY}-{self._random.randrange(10_000)}"

    def _structure(self, name: str, depth: int) -> Json:
        made: Json = {}
        for element in definition(name).elements:
            if element.name in NEVER or element.maximum == 0:
                continue
            wanted = element.minimum > 0 or (depth < DEPTH_MAX and self._random.random() < OPTIONAL)
            if not wanted:
                continue
            type = self._random.choice(element.types) if element.types else Type(code="BackboneElement")
            value = self._value(element, type, depth + 1)
            if value not in (None, {}):
                made[element.json_name(type)] = [value] if element.many else value
        return made

    def _value(self, element: Element, type: Type, depth: int) -> Any:
        if element.structure is not None:
            return self._structure(element.structure, depth)
        match type.code:
            case "Reference":
                return self._reference(type)
            case "CodeableConcept":
                return self._bound(element) or self._concept()
            case "Coding":
                return {"system": LOINC, "code": f"{self._random.randrange(1, 99_999)}-1"}
            case "Quantity" | "Age" | "Duration" | "Distance" | "Count" | "SimpleQuantity":
                return {"value": self._random.randrange(1, 300), "system": UCUM, "code": "a" if type.code in ("Age", "Duration") else "mm"}
            case "Resource":
                return None
            case code if type.is_primitive:
                return self._primitive(code, element)
            case code if code in DATA_TYPES and depth < DEPTH_MAX:
                return self._structure(code, depth)
        return None

    def _reference(self, type: Type) -> Json:
        places = [place for target in type.targets for place in self._references.get(target, ())]
        return {"reference": self._random.choice(places)} if places else {"display": self.text()}

    def _concept(self) -> Json:
        code = self._random.choice(("8867-4", "85354-9", "29463-7", "8480-6", "718-7"))
        return {"coding": [{"system": LOINC, "code": code}]}

    def _bound(self, element: Element) -> Json | None:
        coded = self._code(element)
        return None if coded is None else {"coding": [{"system": coded[0], "code": coded[1]}]}

    def _code(self, element: Element) -> tuple[str, str] | None:
        if element.binding is None or element.binding.strength != "required":
            return None
        codes = required_codes(element.binding.value_set)
        pairs = [(system, code) for system, several in (codes or {}).items() for code in several]
        return self._random.choice(pairs) if pairs else None

    def _primitive(self, code: str, element: Element) -> Any:
        random = self._random
        if code == "code":
            coded = self._code(element)
            if coded is not None:
                return coded[1]
            url = element.binding.value_set.rpartition("/")[2] if element.binding else ""
            return random.choice(sorted(RESOURCE_TYPES)) if "resource-types" in url or "all-types" in url else PLAIN_CODES.get(url, "x")
        made = {
            "boolean": lambda: random.random() < 0.5,
            "integer": lambda: random.randrange(-5, 300),
            "positiveInt": lambda: random.randrange(1, 300),
            "unsignedInt": lambda: random.randrange(300),
            "decimal": lambda: round(random.uniform(-10, 300), random.randrange(4)),
            "date": lambda: random.choice(("2026", "2026-02", "2026-02-28")),
            "dateTime": lambda: random.choice(("2026", "2026-03", "2026-03-01", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.5+02:00")),
            "instant": lambda: "2026-03-01T10:00:00Z",
            "time": lambda: "10:00:00",
            "uri": lambda: f"http://example.org/{self.text()}",
            "url": lambda: f"http://example.org/{self.text()}",
            "canonical": lambda: f"http://example.org/{self.text()}",
            "oid": lambda: "urn:oid:1.2.3",
            "uuid": lambda: "urn:uuid:0b1f0c1e-0000-4000-8000-000000000001",
            "id": lambda: f"x{random.randrange(1000)}",
            "base64Binary": lambda: "aGVsbG8=",
            "xhtml": lambda: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
        }
        return made.get(code, self.text)()
