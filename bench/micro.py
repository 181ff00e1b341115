"""What is done for each resource, alone, in microseconds: where a budget of a hundred microseconds goes.

The best of several runs: what others do on the machine can only add to it.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from timeit import Timer
from typing import Any

import orjson

from adapters.libreview import adapter
from adapters.reading import Reading
from audit.agents import Source
from audit.chain import genesis, link
from audit.events import events
from audit.interaction import Interaction, Item
from audit.log import drafts
from audit.record import Draft, to_document
from bench.create import bodies
from bench.data import Person, consent_of, measurements
from bench.figures import Figure
from bench.ingest import file
from bench.rig import Rig
from fhir_profiles import profiles, r4
from fhir_profiles.observation import observation
from hub import numbers
from hub.ingest.normalise import normalise
from hub.instants import now_us
from hub.search.index import index
from hub.store.documents import document
from hub.store.protocol import Stored
from security.blind import Blind
from security.consent import asker, decide, rules_of
from security.context import AccessContext
from security.dictionaries import by_id, for_type
from security.envelope import aad, data_key, open_, seal
from security.scopes import Scopes

BUDGET_US = 10.0
"""Single digits for each piece of work on a resource."""
RUNS = 5
CHECKS = ("check against R4", "  and its profiles")
CHECK_US_MAX = 200.0
"""Each of the two, on every write of an Observation."""
LONG = ("read a body", "audit: events of a read", "audit: drafts of a read")
"""What may take longer: it is done once a request and not for each resource of a batch."""

FIRST_CHECK = """
import sys, time
import orjson
from fhir_profiles import profiles, r4
content = {**orjson.loads(sys.stdin.buffer.read()), "id": "a", "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"}}
began = time.perf_counter()
assert not r4.check(content)
assert not profiles.check(content)
print(round((time.perf_counter() - began) * 1e6, 1))
"""

ROW, ROWS = "parse a LibreView row", 100
"""Told for one row of so many."""

Work = Callable[[], object]


def micro(rig: Rig) -> list[Figure]:
    run_s = rig.sizes.seconds / 40
    figures = [_first()]
    for name, work in {**_sealing(), **_resources(), **_deciding(), **_log()}.items():
        figure = Figure(benchmark="micro", name=name, unit=" µs", better="less", values=[_us(work, run_s) / (ROWS if name == ROW else 1)])
        if name in CHECKS:
            figure.expect(f"< {CHECK_US_MAX:.0f} µs", met=figure.value < CHECK_US_MAX)
        elif name not in LONG:
            figure.expect(f"< {BUDGET_US:.0f} µs", met=figure.value < BUDGET_US)
        figures.append(figure)
    return figures


def _first() -> Figure:
    """The first Observation of a process: what is compiled when it is first met is compiled with it. (The hub meets all of it at start.)"""
    figure = Figure(benchmark="micro", name="check against R4 and profiles, the first", unit=" µs", better="less")
    for _ in range(RUNS):
        done = subprocess.run([sys.executable, "-c", FIRST_CHECK], input=bodies(_person())[0], capture_output=True, check=True)
        figure.values.append(float(done.stdout))
    return figure


def _us(work: Work, run_s: float) -> float:
    timer = Timer(work)
    number = max(1, int(run_s / max(timer.timeit(10) / 10, 1e-7)))
    return round(min(timer.repeat(RUNS, number)) / number * 1e6, 2)


def _person() -> Person:
    return Person("0A1b2C3d4E5f6G7h8I9j0K", os.urandom(12))


def _sealing() -> dict[str, Work]:
    key, person = data_key(b"bench", 1, os.urandom(32)), _person()
    plain = observation(next(measurements(person)), id="a", version=1, last_updated="2026-01-01T00:00:00.000Z")
    place = aad(resource_type="Observation", id="a", version=1, patient=person.token, key_version=1)
    dictionary = for_type("Observation")
    sealed, frame, nonce = seal(key, place, plain, dictionary), dictionary.compress(plain), os.urandom(12)
    return {
        "seal an Observation": lambda: seal(key, place, plain, dictionary),
        "  of it AES-256-GCM": lambda: key.aead.encrypt(nonce, frame, place),
        "  of it Zstandard": lambda: dictionary.compress(plain),
        "open an Observation": lambda: open_(key, place, sealed, by_id),
        "  and parse it": lambda: orjson.loads(plain),
    }


def _resources() -> dict[str, Work]:
    person, blind = _person(), Blind(os.urandom(32))
    body = bodies(person)[0]
    content = {**orjson.loads(body), "id": "a", "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"}}
    measurement, numbered = next(measurements(person)), count()
    reading = next(item for item in adapter.decode(file("BENCH", 0, 20)) if isinstance(item, Reading))
    payload, now = file("BENCH", 0, ROWS), now_us()
    return {
        "token, new": lambda: blind.token("identifier", str(next(numbered))),
        "token, known": lambda: blind.token("code", "8867-4"),
        "index an Observation": lambda: index(content, token=blind.token, patient_token=blind.patient),
        "check against R4": lambda: r4.check(content),
        "  and its profiles": lambda: profiles.check(content),
        "read a body": lambda: numbers.loads(body),
        ROW: lambda: list(adapter.decode(payload)),
        "normalise a reading": lambda: normalise(reading, time_zone="UTC", patient="Patient/_", device="Device/_", received_us=now),
        "build an Observation": lambda: observation(measurement, id="a", version=1, last_updated="2026-01-01T00:00:00.000Z"),
        "document for MongoDB": _document_work(person),
    }


def _document_work(person: Person) -> Work:
    stored = Stored(
        type="Observation",
        id="a",
        version=1,
        updated_us=1,
        sealed=os.urandom(120),
        key_version=1,
        patient=person.token,
        tokens=tuple(os.urandom(12) for _ in range(6)),
        start_us=1,
        end_us=2,
    )
    return lambda: document(stored)


def _deciding() -> dict[str, Work]:
    person = _person()
    context = AccessContext(
        client_id="bench",
        client_name="Benchmark",
        organization="Organization/a",
        scopes=Scopes.parse("system/*.rs"),
        purpose="TREAT",
        consent_default="opt-in",
        recorder=False,
        importer=False,
        request_id="r",
    )
    rules = rules_of(consent_of(person.id), id="c", version="1")
    content: dict[str, Any] = orjson.loads(bodies(person)[0])
    who, now = asker(context, "access"), now_us()
    assert decide(rules, who, content, default=False, now_us=now).permit
    return {"decide by consent": lambda: decide(rules, who, content, default=False, now_us=now)}


def _log() -> dict[str, Work]:
    interaction = _interaction()
    source, blind, key = Source("hds-hub", "http://127.0.0.1:8000/fhir"), Blind(os.urandom(32)), data_key(b"bench", 1, os.urandom(32))
    dictionary = for_type("AuditEvent")
    made = events(interaction, iter(["event-1", "event-2"]), source)

    class Body:
        sealed, key_id, key_version, dictionary = os.urandom(300), b"bench", 1, 1

    def sealed(_: str | None, id: str, plain: bytes) -> Any:
        seal(key, id.encode(), plain, dictionary)
        return Body

    def drafted() -> list[Draft]:
        return drafts(made, interaction=interaction, writes=(), token=blind.token, patient_token=lambda _: b"p" * 12, seal=sealed)

    drafted_once, head = drafted(), genesis(b"writer", [])
    linked, _ = link(head, drafted_once)
    return {
        "audit: events of a read": lambda: events(interaction, iter(["event-1", "event-2"]), source),
        "audit: drafts of a read": drafted,
        "audit: chain a record": lambda: link(head, drafted_once[:1]),
        "audit: document of a record": lambda: to_document(linked[0]),
    }


def _interaction() -> Interaction:
    return Interaction(
        kind="read",
        recorded_us=1_700_000_000_000_000,
        request_id="request",
        client_id="bench",
        client_name="Benchmark",
        organization="Organization/a",
        purpose="TREAT",
        network="127.0.0.1",
        method="GET",
        query="/fhir/Observation/a",
        target="Observation/a",
        items=(Item(reference="Observation/a", version="1", patient="Patient/b", basis="consent Consent/c/_history/1"),),
    )
