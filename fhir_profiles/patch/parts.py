"""The parts of an operation: named values of a Parameters resource. https://hl7.org/fhir/R4/parameters.html"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhir_profiles.fhirpath.model import Type
from fhir_profiles.patch.error import PatchError, copied
from fhir_profiles.patch.pairs import Pair, pairs, put_pairs

PARTS: Final = frozenset({"type", "path", "name", "value", "index", "source", "destination"})
DEPTH_MAX: Final = 20


def malformed(text: str) -> PatchError:
    return PatchError("malformed", text)


def missing(text: str) -> PatchError:
    return PatchError("target", text)


@dataclass(frozen=True, slots=True)
class Part:
    """One named part: a primitive or complex value[x], a resource, or parts of its own that make an object."""

    content: Mapping[str, Any]
    depth: int = 0

    @property
    def suffix(self) -> str | None:
        """The type of the value as it ends a JSON name ("Quantity"); None where no type is said."""
        return next((key.removeprefix("_")[len("value") :] for key in self.content if key.startswith(("value", "_value"))), None)

    def pair(self, type: Type) -> Pair:
        """The value, and what stands under the underscored name."""
        if self.suffix is not None:
            key = f"value{self.suffix}"
            return copied(self.content.get(key)), copied(self.content.get(f"_{key}"))
        if "resource" in self.content:
            return copied(self.content["resource"]), None
        inner = self.content.get("part")
        if isinstance(inner, list) and inner and self.depth < DEPTH_MAX:
            return self._assembled(inner, type), None
        raise malformed("a value is a value[x], a resource, or parts")

    def _assembled(self, inner: list[Any], type: Type) -> dict[str, Any]:
        """An element that has no type of its own, from a part for each of its elements."""
        made: dict[str, Any] = {}
        for one in inner:
            if not isinstance(one, dict) or not isinstance(one.get("name"), str):
                raise malformed("every part has a name")
            added(made, type, one["name"], Part(one, self.depth + 1))
        return made

    def text(self) -> str:
        """A name or a path."""
        value = self.content.get("valueString") or self.content.get("valueCode")
        if not isinstance(value, str):
            raise malformed("path and name are a valueString")
        return value

    def code(self) -> str | None:
        value = self.content.get("valueCode") or self.content.get("valueString")
        return value if isinstance(value, str) else None

    def whole(self) -> int:
        value = self.content.get("valueInteger")
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise malformed("index, source and destination are a valueInteger from 0")
        return value


def parts_of(operation: Mapping[str, Any]) -> Mapping[str, Part]:
    found: dict[str, Part] = {}
    inner = operation.get("part")
    for part in inner if isinstance(inner, list) else []:
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str) or name not in PARTS or name in found:
            raise malformed("an operation has parts called " + ", ".join(sorted(PARTS)) + ", each once")
        found[name] = Part(part)
    return found


def added(holder: dict[str, Any], type: Type, name: str, part: Part) -> None:
    """Append to a list, or set what is not there yet."""
    key, inner = _key(holder, type, name, part)
    place = pairs(holder, key)
    repeats = type.repeats(key)
    if place and not repeats:
        raise missing("the element is there already, and does not repeat: replace it")
    if not repeats and any(pairs(holder, other) for other, _ in type.named(name, holder)):
        raise missing("the element is there already, in another of its types: replace it")
    place.append(part.pair(inner))
    put_pairs(holder, key, place, repeats=repeats)


def _key(holder: Mapping[str, Any], type: Type, name: str, part: Part) -> tuple[str, Type]:
    """The JSON name: of a choice of types the one for the type of the value."""
    keys = dict(type.named(name, holder))
    key = name if name in keys else f"{name}{part.suffix}"
    if key not in keys:
        raise missing("there is no element of this name and type at the path")
    return key, keys[key]
