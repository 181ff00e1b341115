"""Search: patient + code + date for 50 Observations, among few and among many, against the bare find.

Both stores run at once and are asked in turn, so that what disturbs one disturbs the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Any
from urllib.parse import quote

import orjson

from bench import floors
from bench.data import KINDS, READINGS, SENSOR, Person, at, fill, history, moment, people
from bench.figures import Figure, percentile
from bench.load import request
from bench.rig import Rig, Store, observed, progress
from hub.search.compile import narrow
from hub.search.parse import parse_search
from hub.store.mongo_filter import mongo_filter
from hub.wiring import Hub

FOUND = 50
RATIO_MAX = 1.5
BARE = "find"
SORT = (("d", -1), ("_id", 1))
AT_ONCE = 16

Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class _Side:
    """One of the two stores, what is asked of it, and what came of it."""

    store: Store
    questions: Sequence[Pairs]
    filters: Sequence[dict[str, Any]]
    figure: Figure
    latencies_s: list[float] = field(default_factory=list)


def search(rig: Rig) -> list[Figure]:
    sizes = rig.sizes
    few = _side(f"{sizes.few:,} Observations", rig.few(), _scattered(rig.few(), sizes.questions))
    many = _side(f"{sizes.many:,} Observations", rig.many(), _scattered(rig.many(), sizes.questions))
    long = _side(f"of {sizes.history:,} of one patient and kind", rig.many(), _in_history(rig))
    crowd = Figure(benchmark="search", name=f"{sizes.many:,} Observations, {AT_ONCE} clients", unit="/s")
    peaks: list[Figure] = []
    sides = (few, many, long)
    for side in sides:
        _warm(side)
    with rig.peaks(many.store.world, "search", peaks):
        for _ in range(sizes.rounds):
            for side in sides:
                _round(side, rig)
            requests = _requests(many.store, many.questions)
            crowd.add(observed(many.store.world, many.store.world.during(requests, AT_ONCE, sizes.seconds), crowd).per_second)
    for side in sides:
        side.figure.note = f"p95 {percentile(side.latencies_s, 0.95) * 1e3:.2f} ms"
    return [few.figure, many.figure, _compared(few, many), long.figure, crowd, *peaks]


def _compared(few: _Side, many: _Side) -> Figure:
    """Round by round, because the machine changes from one to the next."""
    ratios = [one / other for one, other in zip(many.figure.values, few.figure.values, strict=True)]
    figure = Figure(benchmark="search", name="many against few", unit=" times", better="less", values=ratios)
    bare = [one / other for one, other in zip(many.figure.floors[BARE], few.figure.floors[BARE], strict=True)]
    figure.note = f"of the bare find {median(bare):.2f} times"
    figure.expect(f"≤ {RATIO_MAX} times", met=figure.value <= RATIO_MAX)
    return figure


def _side(name: str, store: Store, questions: Sequence[Pairs]) -> _Side:
    figure = Figure(benchmark="search", name=f"{name}, 1 client", unit=" ms", better="less")
    return _Side(store, questions, filters_of(store, questions), figure)


def _scattered(store: Store, questions: int) -> list[Pairs]:
    """Any patient, any kind, any window in which it was read FOUND times."""
    random = Random(1)
    asked = []
    for _ in range(questions):
        first = random.randrange(READINGS - FOUND)
        asked.append(question(random.choice(store.people), random.choice(KINDS)[1], at(first), at(first + FOUND)))
    return asked


def _in_history(rig: Rig) -> list[Pairs]:
    """One more patient of the large store, who has worn a sensor for long; windows from its first day to its last."""
    world, count, random = rig.many().world, rig.sizes.history, Random(1)
    with progress(rig.console) as bar:
        (person,) = people(world, 1, first=len(rig.many().people))
        fill(world, [(person, history(person, count))], count, bar)
    firsts = [random.randrange(count - FOUND) for _ in range(rig.sizes.questions)]
    return [question(person, SENSOR[1], moment(first), moment(first + FOUND)) for first in firsts]


def question(person: Person, loinc: str, from_: str, to: str) -> Pairs:
    return (
        ("patient", person.reference),
        ("code", f"http://loinc.org|{loinc}"),
        ("date", f"ge{from_}"),
        ("date", f"lt{to}"),
        ("_count", str(FOUND)),
    )


def filters_of(store: Store, questions: Sequence[Pairs]) -> list[dict[str, Any]]:
    """What the hub asks mongod for such a search, without the restriction to what the caller may see."""

    async def act(hub: Hub) -> list[dict[str, Any]]:
        blind, made = hub.services.blind, []
        for pairs in questions:
            parsed = parse_search("Observation", pairs, lenient=False, base=hub.services.base_url)
            narrowed = narrow(parsed, token=blind.token, patient_token=blind.patient, now_us=hub.services.clock())
            made.append(mongo_filter(narrowed.predicate, "Observation"))
        return made

    return store.world.beside(act)


def _requests(store: Store, questions: Sequence[Pairs]) -> list[bytes]:
    token = store.world.token()
    return [request("GET", f"/fhir/Observation?{query(pairs)}", token=token) for pairs in questions]


def query(pairs: Pairs) -> str:
    return "&".join(f"{name}={quote(value, safe='/:,')}" for name, value in pairs)


def _warm(side: _Side) -> None:
    """Ask everything once, and see that each answer has the FOUND resources that it should have."""
    requests = _requests(side.store, side.questions)
    measured = side.store.world.send(side.store.world.once(requests, 4, keep_bodies=True))
    assert all(len(orjson.loads(body)["entry"]) == FOUND for body in measured.bodies)


def _round(side: _Side, rig: Rig) -> None:
    count, world = rig.sizes.searches, side.store.world
    with world.endpoint() as endpoint:
        bare = rig.aside.submit(floors.find, endpoint.url, side.filters, SORT, FOUND + 1, count).result()
    measured = observed(world, world.once(_requests(side.store, side.questions)[:count], 1), side.figure)
    side.latencies_s += measured.latencies_s
    side.figure.add(median(measured.latencies_s) * 1e3, **{BARE: median(bare.latencies_s) * 1e3})
