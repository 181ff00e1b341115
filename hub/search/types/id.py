"""`_id`: the logical id, compared exactly.

https://hl7.org/fhir/R4/search.html#id: a token by type, but without system.
"""

from dataclasses import dataclass

from hub.search.grammar import unescape
from hub.search.predicate import AllOf, IdIs, PatientIs
from hub.search.references import ID
from hub.search.row import Parameter
from hub.search.value import BadValue, Narrowing, Opened, PatientToken, Resource, Tokens, Written


@dataclass(frozen=True, slots=True)
class IdValue:
    id: str

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:  # noqa: ARG002 (one way to ask all types)
        found = IdIs(frozenset({self.id}))
        if tokens.type != "Patient":
            return Narrowing(found, exact=True)
        # A Patient lies in its own compartment: saying so keeps the query on one shard.
        return Narrowing(AllOf((found, PatientIs(frozenset({tokens.patient_token(self.id)})))), exact=True)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return bool(resource.get("id") == self.id)


@dataclass(frozen=True, slots=True)
class IdsValue:
    """One of these: what a reverse chain has found."""

    ids: frozenset[str]

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:  # noqa: ARG002
        found = IdIs(self.ids)
        if tokens.type != "Patient":
            return Narrowing(found, exact=True)
        return Narrowing(AllOf((found, PatientIs(frozenset(map(tokens.patient_token, self.ids))))), exact=True)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return resource.get("id") in self.ids


@dataclass(frozen=True, slots=True)
class PatientsValue:
    """A Patient known by its token to be one of those that a reverse chain has found."""

    patients: frozenset[bytes]
    token_of: PatientToken

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:  # noqa: ARG002
        return Narrowing(PatientIs(self.patients), exact=True)

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:  # noqa: ARG002
        return self.token_of(str(resource.get("id"))) in self.patients


def modifiers(parameter: Parameter) -> frozenset[str]:  # noqa: ARG001 (one way to ask all types)
    return frozenset()


def parse(written: Written, parameter: Parameter) -> IdValue:  # noqa: ARG001
    text = unescape(written.text)
    if ID.fullmatch(text) is None:
        raise BadValue("must be a logical id: 1 to 64 of A-Z a-z 0-9 - .")
    return IdValue(text)
