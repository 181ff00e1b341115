"""Many searches over several stores, and what of them differed."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

from pymongo import MongoClient

from hub.store.embedded import Endpoint
from tests.conftest import DATABASES
from tests.e2e.differential.compare import Ask, difference, in_process, query_of
from tests.e2e.differential.over_http import over_http
from tests.e2e.differential.questions import Question, question
from tests.e2e.differential.store import Store, opened_store
from tests.e2e.differential.world import World

AT_ONCE = 48
WEIGHTS = (4, 4, 1, 2)
OVER_HTTP_EACH = 20
FOUND_MAX = 5
"""After so many differences a run ends: they will be the same."""


@dataclass(frozen=True)
class Case:
    """`number`: with the seed, what the search comes from."""

    seed: int
    store: int
    number: int

    def question(self, store: Store) -> Question:
        random = Random(f"{self.seed} {self.store} {self.number}")
        return question(random, store.plain, random.choices(store.askers, WEIGHTS)[0])


@dataclass
class Report:
    cases: int = 0
    answered: int = 0
    features: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


async def run(
    endpoint: Endpoint, directory: Path, *, seed: int, cases: int, per_store: int, tell: Callable[[str], None] = lambda _: None
) -> Report:
    """`cases` searches, `per_store` of them in each store."""
    report = Report()
    for number, first in enumerate(range(0, cases, per_store)):
        emptied(endpoint)
        async with opened_store(directory / str(number), endpoint, f"{seed} {number}") as store, over_http(store) as http:
            here = min(per_store, cases - first)
            for begin in range(0, here, AT_ONCE):
                batch = [Case(seed, number, one) for one in range(begin, min(begin + AT_ONCE, here))]
                await asyncio.gather(*(_one(case, store, http, report) for case in batch))
                if len(report.differences) >= FOUND_MAX:
                    return report
        tell(f"store {number}: {report.cases} cases, {len(report.differences)} differences")
    return report


def emptied(endpoint: Endpoint) -> None:
    with MongoClient[dict[str, Any]](endpoint.admin_url) as admin:
        for database in DATABASES:
            for name in admin[database].list_collection_names():
                admin[database][name].delete_many({})


async def _one(case: Case, store: Store, http: Ask, report: Report) -> None:
    asked, ask = case.question(store), in_process(store)
    if case.number % OVER_HTTP_EACH == 0:
        ask = http
        report.features["over HTTP"] += 1
    report.cases += 1
    report.features.update(set(asked.features()))
    report.features[f"by {asked.asker.name}"] += 1
    report.answered += store.plain.matching(asked.asker, asked.asked) > 0
    found = await difference(asked, store.plain, ask)
    if found is not None:
        least = await _shrunk(asked, store.plain, ask)
        found = await difference(least, store.plain, ask) or found
        report.differences.append(told(case, least, found, store.plain))


async def first_difference(cases: Iterable[Case], store: Store, ask: Ask, only: str = "") -> int | None:
    """The number of the first case that differs. `only`: of those that have this feature."""
    for case in cases:
        asked = case.question(store)
        if only and only not in asked.features():
            continue
        if await difference(asked, store.plain, ask) is not None:
            return case.number
    return None


async def _shrunk(asked: Question, world: World, ask: Ask) -> Question:
    """As little of the search as still differs."""
    for less in _less(asked):
        if await difference(less, world, ask) is not None:
            return await _shrunk(less, world, ask)
    return asked


def _less(asked: Question) -> Iterator[Question]:
    for place, (name, value) in enumerate(asked.asked.pairs):
        if name != "_type":
            yield asked.without(place)
        values = value.split(",")
        if len(values) > 1 and "\\" not in value and name != "_type":
            for one in range(len(values)):
                yield asked.with_value(place, ",".join(values[:one] + values[one + 1 :]))


def told(case: Case, asked: Question, found: str, world: World) -> str:
    """What somebody needs who wants to see it again."""
    named = sorted(set(re.findall(r"[A-Z]\w+/[\w.-]+", found)) & world.current.keys())
    resources = [json.dumps(world.current[name], ensure_ascii=False) for name in named[:3]]
    return "\n".join(
        (
            f"seed {case.seed}, store {case.store}, case {case.number}",
            f"{asked.asker.name}: GET {asked.asked.path}?{unquote(query_of(asked))}",
            f"  {found}",
            *(f"  {one}" for one in resources),
        )
    )
