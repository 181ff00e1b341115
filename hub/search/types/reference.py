"""Search type reference: `Type/id`, `id`, an absolute URL; ours or foreign.

https://hl7.org/fhir/R4/search.html#reference. The modifier `:[type]` says which type a bare id is of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.search.canonicals import canonical_is, without_version
from hub.search.elements import of_parameter, reader
from hub.search.grammar import split, unescape
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.predicate import AnyOf, PatientIs, Predicate
from hub.search.references import ABSOLUTE, ID, LOCAL, literal, with_slash
from hub.search.value import UNDECIDED, BadValue, Narrowing, Opened, Resource, Test, Tokens, Value, Written

IDENTIFIER = "identifier"
PATIENT = "Patient/"


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """`literals`: references that match, each "Type/id" or a foreign one as written. A bare id is one per target type."""

    literals: frozenset[str]

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        """A patient's own compartment is in `p`; a row has no token for it (`hub.search.index`)."""
        if not parameter.spaces:
            return UNDECIDED
        if parameter.where != "p":
            return Narrowing(tokens.any_of(parameter, self.literals), exact=parameter.exact)
        patients = frozenset(text for text in self.literals if text.startswith(PATIENT))
        parts: list[Predicate] = []
        if patients:
            parts.append(PatientIs(frozenset(tokens.patient_token(text.removeprefix(PATIENT)) for text in patients)))
        elsewhere = tuple(space for space in parameter.spaces if space != RESOURCE_TYPES[tokens.type].compartment_space)
        if patients and elsewhere:
            parts.append(tokens.any_of(parameter, patients, elsewhere))
        if self.literals - patients:
            parts.append(tokens.any_of(parameter, self.literals - patients))
        return Narrowing(parts[0] if len(parts) == 1 else AnyOf(tuple(parts)), exact=True)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:
        return self.test(parameter, opened)(resource)

    def test(self, parameter: Parameter, opened: Opened) -> Test:
        read, literals, base = reader(parameter), self.literals, opened.base

        def holds(resource: Resource) -> bool:
            for element in read(resource):  # noqa: SIM110 -- for every row of every page
                if "reference" in element and literal(element["reference"], base) in literals:
                    return True
            return False

        return holds


@dataclass(frozen=True, slots=True)
class CanonicalValue:
    """A reference by canonical URL. https://hl7.org/fhir/R4/search.html#versions"""

    url: str

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        if not parameter.spaces:
            return UNDECIDED
        return Narrowing(tokens.any_of(parameter, frozenset({without_version(self.url)})), exact=False)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return any(canonical_is(element, self.url) for element in of_parameter(parameter, resource) if isinstance(element, str))


@dataclass(frozen=True, slots=True)
class CanonicalsValue:
    """References by canonical URL, each as it is written. https://hl7.org/fhir/R4/search.html#revinclude"""

    literals: frozenset[str]

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        if not parameter.spaces:
            return UNDECIDED
        return Narrowing(tokens.any_of(parameter, frozenset(map(without_version, self.literals))), exact=False)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return any(element in self.literals for element in of_parameter(parameter, resource) if isinstance(element, str))


@dataclass(frozen=True, slots=True)
class IdentifiedValue:
    """`:identifier`: by Reference.identifier, whatever the reference itself says. `system`: None is any, "" is none."""

    system: str | None
    value: str | None

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:  # noqa: ARG002 (one way to ask all types)
        return UNDECIDED

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        found = (element["identifier"] for element in of_parameter(parameter, resource) if "identifier" in element)
        return any(self._is(identifier) for identifier in found)

    def _is(self, identifier: Mapping[str, Any]) -> bool:
        if "value" not in identifier:
            return False
        return self.value in (None, identifier["value"]) and self.system in (None, identifier.get("system", ""))


def modifiers(parameter: Parameter) -> frozenset[str]:
    return frozenset({"[type]", IDENTIFIER}) if "Reference" in parameter.kinds else frozenset()


def parse(written: Written, parameter: Parameter) -> Value:
    text = unescape(written.text)
    if "Reference" not in parameter.kinds:
        return CanonicalValue(text)
    if written.modifier == IDENTIFIER:
        return _identified(written.text)
    targets = _targets(written.modifier, parameter)
    base = with_slash(written.base)
    own = text.removeprefix(base) if base else text
    if ID.fullmatch(text):
        return ReferenceValue(_bare(text, targets))
    found = LOCAL.fullmatch(own) or ABSOLUTE.fullmatch(own)
    if found is not None:
        if targets and found.group(1) not in targets:
            raise BadValue(f"must refer to {_one_of(targets)}")
        return ReferenceValue(frozenset({own}))
    if own.startswith("urn:") and written.modifier is None:
        return ReferenceValue(frozenset({own}))
    raise BadValue("must be Type/id, id, or an absolute URL that ends in Type/id, without version")


def _identified(text: str) -> IdentifiedValue:
    pieces = [unescape(piece) for piece in split(text, "|")]
    match pieces:
        case [value] if value:
            return IdentifiedValue(None, value)
        case [system, value] if system or value:
            return IdentifiedValue(system, value or None)
        case _:
            raise BadValue("must be value, system|value, |value or system| with the modifier :identifier")


def _targets(modifier: str | None, parameter: Parameter) -> tuple[str, ...]:
    if modifier is None:
        return parameter.targets
    if parameter.targets and modifier not in parameter.targets:
        raise BadValue(f"can refer to {_one_of(parameter.targets)} only")
    return (modifier,)


def _bare(id: str, targets: tuple[str, ...]) -> frozenset[str]:
    if not targets:
        raise BadValue("may refer to any type: write Type/id")
    return frozenset(f"{type}/{id}" for type in targets)


def _one_of(targets: tuple[str, ...]) -> str:
    return targets[0] if len(targets) == 1 else f"{', '.join(targets[:-1])} or {targets[-1]}"
