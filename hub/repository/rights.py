"""Scopes as part of every question: which interactions, whose record, and which resources of a type (granular scopes)."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from hub import outcomes
from hub.repository.visibility import Visibility
from hub.search.compartment_table import BY_NAME, COMPARTMENT_ELEMENT
from hub.search.compile import Narrowing, narrow, test
from hub.search.parse import Search, parse_search
from hub.search.predicate import EVERYTHING, NOTHING, AllOf, AnyOf, Naming, PatientIs, Patientless, Predicate, all_of
from hub.services import Services
from security.context import AccessContext
from security.grounds import Ground, grounds

READ_OR_SEARCH = "rs"
"""Whoever may search for a resource sees it as whoever may read it does."""


class Whose(Protocol):
    """Of a row that is stored, or would be: tokens of the patient in whose compartment it lies, and of those it concerns besides."""

    @property
    def patient(self) -> bytes | None: ...
    @property
    def others(self) -> tuple[bytes, ...]: ...


class Nobody(NamedTuple):
    patient: bytes | None = None
    others: tuple[bytes, ...] = ()


NOBODY: Final = Nobody()
"""For questions that only clients by themselves come to: a scope that is bound to a patient reaches nothing there."""

Within = Callable[[Mapping[str, Any], Whose], bool]
"""Is an opened resource within the scopes?"""


class Rights:
    """What the caller's token lets it ask; what the patients let it see is `visibility`."""

    def __init__(self, caller: AccessContext, services: Services) -> None:
        self._caller = caller
        self._services = services
        self._found: dict[tuple[str, str], tuple[Ground, ...]] = {}
        self.visibility = Visibility(caller, services)

    def require(self, type: str, letter: str) -> tuple[Ground, ...]:
        """Raises `forbidden` unless some scope covers the interaction."""
        found = self._grounds(type, letter)
        if not found:
            raise outcomes.forbidden()
        return found

    def require_patch(self, type: str) -> None:
        """A patch asks what is stored (a test, a path that leads somewhere or not): besides u it takes a scope to read or to search."""
        self.require(type, "u")
        if not self.covers(type, READ_OR_SEARCH):
            raise outcomes.forbidden()

    def readable(self, type: str, content: Mapping[str, Any], whose: Whose) -> bool:
        """Does some scope let this caller read the resource, or find it?"""
        return any(self.scopes_match(type, letter, content, whose) for letter in READ_OR_SEARCH)

    def covers(self, type: str, letters: str) -> bool:
        """Is there a scope for one of these interactions, whichever resources of the type it reaches?"""
        return any(self._grounds(type, letter) for letter in letters)

    def reaches(self, type: str, letter: str, whose: Whose) -> bool:
        """May something that concerns these be written on some ground, whatever it says? Where a scope is bound to a patient it is about
        nobody else: who else exists must not be told by what becomes of it (law 3).
        """
        return any(
            ground.patient is None or concerns_alone(type, whose, self._services.blind.patient(ground.patient))
            for ground in self._grounds(type, letter)
        )

    def scopes_match(self, type: str, letter: str, content: Mapping[str, Any], whose: Whose = NOBODY) -> bool:
        """Is the resource within a scope that carries this letter: in the compartment it is bound to, and matching its query?"""
        return self.scopes_test(type, letter)(content, whose)

    def scopes_test(self, type: str, letter: str) -> Within:
        """`scopes_match` for many resources of the type."""
        found = self._grounds(type, letter)
        if any(ground.boundless for ground in found):
            return _everything
        tests = [self._test(type, ground) for ground in found]
        if len(tests) == 1:  # as most tokens have it; a generator for every row costs as much again
            return tests[0]
        return lambda content, whose: any(within(content, whose) for within in tests)

    def predicate(self, type: str, letter: str) -> tuple[Predicate, bool]:
        """The scopes as part of a query, and whether the tokens decide them exactly."""
        found = self.require(type, letter)
        if any(ground.boundless for ground in found):
            return EVERYTHING, True
        narrowed = [self._narrow(type, ground) for ground in found]
        return AnyOf(tuple(one.predicate for one in narrowed)), all(one.exact for one in narrowed)

    def _grounds(self, type: str, letter: str) -> tuple[Ground, ...]:
        found = self._found.get((type, letter))
        if found is None:
            found = self._found[type, letter] = grounds(self._caller, type, letter)
        return found

    def _test(self, type: str, ground: Ground) -> Within:
        asked = None
        if ground.scope.query:
            asked = test(self._search(type, ground), now_us=self._services.clock(), base=self._services.base_url)
        token = None if ground.patient is None else self._services.blind.patient(ground.patient)

        def within(content: Mapping[str, Any], whose: Whose) -> bool:
            return (token is None or lies_within(type, whose, token)) and (asked is None or asked(content))

        return within

    def _narrow(self, type: str, ground: Ground) -> Narrowing:
        services = self._services
        bound = EVERYTHING if ground.patient is None else compartment_of(type, services.blind.patient(ground.patient))
        if not ground.scope.query:
            return Narrowing(bound, exact=True)
        asked = narrow(
            self._search(type, ground), token=services.blind.token, patient_token=services.blind.patient, now_us=services.clock()
        )
        return Narrowing(all_of([bound, asked.predicate]), asked.exact)

    def _search(self, type: str, ground: Ground) -> Search:
        return parse_search(type, ground.scope.query, lenient=False)


def compartment_of(type: str, patient: bytes) -> Predicate:
    """Which rows of a type a scope reaches that is bound to a patient: those in the compartment, and those in nobody's that are about the
    patient by name, a device that is worn among them. https://hl7.org/fhir/R4/compartmentdefinition-patient.html
    """
    one = frozenset({patient})
    ways: list[Predicate] = [PatientIs(one)] if type in COMPARTMENT_ELEMENT else []
    if type in BY_NAME:
        ways.append(AllOf((Patientless(), Naming(one))))
    return ways[0] if len(ways) == 1 else AnyOf(tuple(ways)) if ways else NOTHING


def lies_within(type: str, whose: Whose, patient: bytes) -> bool:
    """`compartment_of` of a row at hand."""
    if whose.patient is not None:
        return type in COMPARTMENT_ELEMENT and whose.patient == patient
    return type in BY_NAME and patient in whose.others


def concerns_alone(type: str, whose: Whose, patient: bytes) -> bool:
    return lies_within(type, whose, patient) and all(one == patient for one in whose.others)


def _everything(_: Mapping[str, Any], __: Whose) -> bool:
    return True
