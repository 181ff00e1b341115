"""One parameter of a search on one resource, naively: modifiers, values that are alternatives, composites.

https://hl7.org/fhir/R4/search.html#modifiers, #token, #reference, #composite.
"""

from datetime import datetime
from typing import Any

from tests.e2e.differential.codes import VALUE_SETS, above
from tests.e2e.differential.table import Known
from tests.e2e.differential.values import begins_a_word, date_is, elements, number_is, pieces, plain, quantity_is, string_is, uri_is

Json = dict[str, Any]
SPECIAL = "http://terminology.hl7.org/CodeSystem/special-values"
Pair = tuple[tuple[str, ...], str]


class Judge:
    """`base`: the FHIR base whose references are the hub's own. `now`: when the search is."""

    def __init__(self, base: str, now: datetime) -> None:
        self.base, self.now = base, now

    def holds(self, known: Known, modifier: str, value: str, resource: Json) -> bool:
        if modifier == "missing":
            return self.is_there(known, resource) is (value == "false")
        some = any(self.answers(known, modifier, one, resource, resource) for one in pieces(value, ","))
        return some is not (modifier in ("not", "not-in"))

    def is_there(self, known: Known, resource: Json) -> bool:
        if known.type == "composite":
            return any(all(self.is_there(part, one) for part in known.parts) for one in elements(known, resource))
        return any(self.is_value(known, one) for one in elements(known, resource))

    def is_value(self, known: Known, element: Any) -> bool:
        """R4 filters some elements by what they hold: `patient` is a subject that is a Patient, `phone` a telecom that is one."""
        if known.kind in ("phone", "email"):
            return bool(element.get("system") == known.kind)
        if known.type == "reference" and known.targets and isinstance(element, dict) and "reference" in element:
            named = self.named(element["reference"])
            return named is None or named.split("/")[-2:-1] == [] or named.split("/")[-2] in known.targets
        if known.type == "date":
            return isinstance(element, str) or bool({"start", "end", "event"} & set(element))
        return True

    def answers(self, known: Known, modifier: str, value: str, node: Any, resource: Json) -> bool:
        if known.type == "composite":
            values = pieces(value, "$")
            return any(
                all(self.answers(part, "", one, root, resource) for part, one in zip(known.parts, values, strict=True))
                for root in elements(known, node)
            )
        found = elements(known, node)
        match known.type:
            case "date":
                return any(date_is(known.kind, one, value, self.now) for one in found)
            case "number":
                return any(number_is(one, value) for one in found)
            case "quantity":
                return any(quantity_is(one, value) for one in found)
            case "string":
                return any(string_is(known.kind, one, modifier, value) for one in found)
            case "uri":
                return any(uri_is(known.kind, one, modifier, value) for one in found)
            case "reference":
                return any(self.refers(known, one, modifier, value) for one in found)
        if known.kind == "deceased":
            dead = any(one is not False for one in found)
            return plain(value).split("|")[-1] == ("true" if dead else "false")
        return any(self.token_is(known, one, modifier, value) for one in found)

    # Tokens

    def token_is(self, known: Known, element: Any, modifier: str, value: str) -> bool:
        match modifier:
            case "text":
                return any(begins_a_word(text, plain(value)) for text in displays(known.kind, element))
            case "of-type":
                return self.of_type(element, [plain(one) for one in pieces(value, "|")])
            case "in" | "not-in":
                codes = VALUE_SETS[plain(value)]
                return any((system, code) in codes for systems, code in coded(known, element) for system in systems)
            case "above" | "below":
                return any(self.related(pair, modifier, value, known) for pair in coded(known, element))
        parts = [plain(one) for one in pieces(value, "|")]
        return any(self.pair_is(pair, parts) for pair in coded(known, element))

    def pair_is(self, pair: Pair, parts: list[str]) -> bool:
        systems, code = pair
        if len(parts) == 1:
            return code == parts[0]
        return parts[0] in systems and parts[1] in ("", code)

    def of_type(self, element: Any, parts: list[str]) -> bool:
        system, code, value = parts
        kinds = [(one.get("system"), one.get("code")) for one in element.get("type", {}).get("coding", [])]
        return element.get("value") == value and (system, code) in kinds

    def related(self, pair: Pair, modifier: str, value: str, known: Known) -> bool:
        *systems, asked = [plain(one) for one in pieces(value, "|")]
        for system in pair[0]:
            if system and system in (systems or [known.system]):
                chain = above(system, pair[1]) if modifier == "below" else above(system, asked)
                if (asked if modifier == "below" else pair[1]) in chain:
                    return True
        return False

    # References

    def refers(self, known: Known, element: Any, modifier: str, value: str) -> bool:
        if isinstance(element, str):
            return uri_is("canonical", element, "", value)
        if modifier == "identifier":
            return "identifier" in element and self.token_is(known, element["identifier"], "", value)
        named = self.named(element.get("reference", "#"))
        asked = self.named(plain(value))
        if named is None or asked is None:
            return False
        if "/" in asked or asked.startswith("urn:"):
            return named == asked
        types = [modifier] if modifier else known.targets
        return named in [f"{type}/{asked}" for type in types]

    def named(self, reference: str) -> str | None:
        """Ours as Type/id, others as they are; None for what lies inside. The version does not matter."""
        if reference.startswith("#"):
            return None
        return reference.removeprefix(self.base + "/").split("/_history/")[0]

    def local(self, known: Known, resource: Json) -> list[str]:
        """The Type/id of ours that the parameter's references lead to."""
        return [reference for reference, _ in self.led_to(known, resource)]

    def led_to(self, known: Known, resource: Json) -> list[tuple[str, int | None]]:
        """With the version, where one is named."""
        found = []
        for element in elements(known, resource):
            written = element.get("reference", "#") if isinstance(element, dict) else "#"
            named = self.named(written)
            if named is None or named.count("/") != 1 or ":" in named:
                continue
            if not known.targets or named.split("/")[0] in known.targets:
                version = written.partition("/_history/")[2]
                found.append((named, int(version) if version else None))
        return found


def coded(known: Known, element: Any) -> list[Pair]:
    """(what a search may say its system is, code). "" is none. Elements of type code have their system by definition."""
    if isinstance(element, bool):
        return [(("", SPECIAL) if known.kind == "boolean" else ("",), "true" if element else "false")]
    if isinstance(element, str):
        return [(("", known.system) if known.system else ("",), element)]
    if known.kind in ("phone", "email", "telecom"):
        right = known.kind == "telecom" or element.get("system") == known.kind
        return [(("", element.get("system", "")), element["value"])] if right and "value" in element else []
    if known.kind in ("Identifier", "Reference"):
        return [((element.get("system", ""),), element["value"])] if "value" in element else []
    codings = element.get("coding", [element])
    return [((one.get("system", ""),), one["code"]) for one in codings if "code" in one]


def displays(kind: str, element: Any) -> list[str]:
    """R4 #modifiers: CodeableConcept.text, Coding.display, Identifier.type.text."""
    if kind == "Identifier":
        element = {"text": element.get("type", {}).get("text")}
    found = [element.get("text"), element.get("display"), *(one.get("display") for one in element.get("coding", []))]
    return [one for one in found if one]
