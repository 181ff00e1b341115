"""Search type reference: `Type/id`, `id`, an absolute URL; ours or foreign.

https://hl7.org/fhir/R4/search.html#reference. The modifier `:[type]` says which type a bare id is of.
"""

from dataclasses import dataclass

from hub.search.elements import of_parameter
from hub.search.grammar import unescape
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.predicate import AnyOf, PatientIs, Predicate
from hub.search.references import ABSOLUTE, ID, LOCAL, literal, with_slash
from hub.search.value import BadValue, Narrowing, Opened, Resource, Tokens, Written

MODIFIERS = frozenset({"[type]"})
PATIENT = "Patient/"


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """`literals`: references that match, each "Type/id" or a foreign one as written. A bare id is one per target type."""

    literals: frozenset[str]

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        """A patient's own compartment is in `p`; a row has no token for it (`hub.search.index`)."""
        if parameter.where != "p":
            return Narrowing(tokens.any_of(parameter, self.literals), exact=True)
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
        return any(
            literal(element["reference"], opened.base) in self.literals
            for element in of_parameter(parameter, resource)
            if "reference" in element
        )


def parse(written: Written, parameter: Parameter) -> ReferenceValue:
    text = unescape(written.text)
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
