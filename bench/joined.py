"""Searches with more to them: includes, composites, chains and reverse chains, among few and among many Observations.

Each kind beside the bare query that finds the same rows, from as many clients, in both stores in turn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from bench import floors
from bench.data import KINDS, READINGS, Person, at, fill, pressures
from bench.figures import Figure, clients_named
from bench.load import request
from bench.rig import Rig, Store, observed, progress
from bench.search import FOUND, SORT, Pairs, filters_of, query, question

CLIENTS = 16
PRESSURES = 2 * FOUND
"""Blood pressures of each of the patients who have any; half of them are high."""
MEASURED_MAX = 50
"""So many patients have some."""
PANEL, SYSTOLIC = "http://loinc.org|85354-9", "http://loinc.org|8480-6"
BARE, PATIENTS = "find", "aggregate"

Ask = tuple[str, Pairs, Pairs]
"""The type, what the hub is asked, and the same as the question on Observations that a bare query answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of search. `makes`: of a store, with its patients and chance. `least`: what was asked for, a second."""

    name: str
    makes: Callable[[Sequence[Person], Random], Ask]
    least: float | None = None
    found: int = FOUND
    floor: str = BARE


def _window(people: Sequence[Person], random: Random) -> tuple[int, Pairs]:
    """Any patient by its place, any kind, any window in which it was read FOUND times."""
    first, place = random.randrange(READINGS - FOUND), random.randrange(len(people))
    return place, question(people[place], random.choice(KINDS)[1], at(first), at(first + FOUND))


def _page(people: Sequence[Person], random: Random) -> Ask:
    _, pairs = _window(people, random)
    return "Observation", pairs, pairs


def _including(people: Sequence[Person], random: Random) -> Ask:
    _, pairs = _window(people, random)
    return "Observation", (*pairs, ("_include", "Observation:subject")), pairs


def _chained(people: Sequence[Person], random: Random) -> Ask:
    place, pairs = _window(people, random)
    return "Observation", (("patient.identifier", f"urn:bench|{place}"), *pairs[1:]), pairs


def _composite(people: Sequence[Person], random: Random) -> Ask:
    patient = ("patient", random.choice(people[:MEASURED_MAX]).reference)
    asked = (patient, ("component-code-value-quantity", f"{SYSTOLIC}$gt140"), ("_count", str(FOUND)))
    return "Observation", asked, (patient, ("component-code", SYSTOLIC))


def _having(people: Sequence[Person], random: Random) -> Ask:  # noqa: ARG001 (one way to make all kinds)
    code = ("code", PANEL)
    return "Patient", ((f"_has:Observation:patient:{code[0]}", code[1]), ("_count", str(FOUND))), (code,)


KIND_ROWS = (
    Kind(name="page of 50", makes=_page, least=500),
    Kind(name="page of 50 with _include", makes=_including, least=300, found=FOUND + 1),
    Kind(name="component-code-value-quantity", makes=_composite),
    Kind(name="chained, patient.identifier", makes=_chained),
    Kind(name="_has", makes=_having, found=0, floor=PATIENTS),
)
"""`found` 0: as many as there are."""


@dataclass(frozen=True, slots=True)
class _Case:
    kind: Kind
    store: Store
    requests: Sequence[tuple[str, Pairs]]
    filters: Sequence[dict[str, Any]]
    figure: Figure


def joined(rig: Rig) -> list[Figure]:
    sizes = rig.sizes
    stores = {sizes.few: rig.few(), sizes.many: rig.many()}  # one and the same where both sizes are
    cases = [one for size, store in stores.items() for one in _cases(f"{size:,}", store, rig)]
    for case in cases:
        _warm(case)
    for _ in range(sizes.rounds):
        for case in cases:
            _round(case, rig)
    for case in cases:
        if case.kind.least is not None:
            rig.at_least(case.figure, case.kind.least)
    return [case.figure for case in cases]


def _cases(size: str, store: Store, rig: Rig) -> list[_Case]:
    with progress(rig.console) as bar:
        measured = store.people[:MEASURED_MAX]
        fill(store.world, [(person, pressures(person, PRESSURES)) for person in measured], len(measured) * PRESSURES, bar)
    return [_case(kind, size, store, rig.sizes.searches) for kind in KIND_ROWS]


def _case(kind: Kind, size: str, store: Store, questions: int) -> _Case:
    random = Random(1)
    asked = [kind.makes(store.people, random) for _ in range(questions)]
    figure = Figure(benchmark="joined", name=f"{kind.name}, {size} Observations, {clients_named(CLIENTS)}", unit="/s")
    filters = filters_of(store, [bare for _, _, bare in asked])
    return _Case(kind, store, [(type, pairs) for type, pairs, _ in asked], filters, figure)


def _warm(case: _Case) -> None:
    """Ask everything once, and see that each answer is as large as it should be."""
    world = case.store.world
    measured = world.send(world.once(_requests(case), CLIENTS, keep_bodies=True))
    wanted = case.kind.found or min(FOUND, len(case.store.people))
    assert all(len(orjson.loads(body)["entry"]) == wanted for body in measured.bodies), case.kind.name


def _requests(case: _Case) -> list[bytes]:
    token = case.store.world.token()
    return [request("GET", f"/fhir/{type}?{query(pairs)}", token=token) for type, pairs in case.requests]


def _round(case: _Case, rig: Rig) -> None:
    world, seconds = case.store.world, rig.sizes.seconds
    with world.endpoint() as endpoint:
        if case.kind.floor == PATIENTS:
            bare = rig.aside.submit(floors.patients, endpoint.url, case.filters, CLIENTS, seconds).result()
        else:
            bare = rig.aside.submit(floors.finding, endpoint.url, case.filters, SORT, FOUND + 1, CLIENTS, seconds).result()
    measured = observed(world, world.during(_requests(case), CLIENTS, seconds), case.figure)
    case.figure.add(measured.per_second, **{case.kind.floor: bare.per_second})
