"""Clients that hang up in the middle: what they were about to be told nobody else is told, and what they sent is there once or not at all.

Laws 1 and 5. Requests are cut off before they are complete, before their answer, and within it; others ask on connections of their own.
"""

import socket
import struct
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from threading import Event

import orjson
import pytest

from tests.support.caller import TIMEOUT_S, Caller, http_client
from tests.support.fixtures import Running
from tests.support.resources import observation, patient

pytestmark = pytest.mark.fault

PEOPLE, READINGS, ASKERS = 3, 20, 3
SYSTEM = "urn:cut-off"
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: a reset, and not the polite end."""
SENT, READ = (0.5, 1.0), (0, 1, 400, 5_000)
"""What part of the request is sent; how many bytes of the answer are read."""


@pytest.fixture(scope="module")
def people(ehr: Caller) -> list[str]:
    """Each with readings that name them, more than an answer of one piece."""
    ids = [str(ehr.create(patient(f"Coupe{place}"))["id"]) for place in range(PEOPLE)]
    for id in ids:
        entries = [{"resource": observation(id), "request": {"method": "POST", "url": "Observation"}} for _ in range(READINGS)]
        assert ehr.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries}).status_code == 200
    return ids


def questions(id: str) -> Iterator[str]:
    yield from (f"Patient/{id}", f"Observation?patient={id}&_count=200", f"Patient/{id}/$everything", f"Patient/{id}/_history")


def cut_off(ehr: Caller, request: bytes, part: float, read_bytes: int) -> None:
    """Sends so much of a request, reads so much of the answer, and is gone."""
    host, port = ehr.http.base_url.host, ehr.http.base_url.port
    with socket.create_connection((host, port or 80), timeout=TIMEOUT_S) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        connection.sendall(request[: int(len(request) * part)])
        left = read_bytes if part == 1 else 0
        while left > 0 and (got := connection.recv(left)):
            left -= len(got)


def written(ehr: Caller, method: str, path: str, body: bytes = b"", **more: str) -> bytes:
    headers = {
        "Host": "hub",
        "Connection": "close",
        "Authorization": f"Bearer {ehr.token}",
        "Content-Type": "application/fhir+json",
        **more,
    }
    lines = [f"{method} /fhir/{path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body


def test_nobody_is_told_what_somebody_else_hung_up_on(running: Running, ehr: Caller, people: list[str]) -> None:
    over = Event()

    def asks_on(id: str) -> int:
        """As an EHR that looks at one patient all the time."""
        asked = 0
        with http_client(running.process.url) as http:
            caller = Caller(http, ehr.account, token=ehr.token)
            while not over.is_set() or not asked:
                for path in questions(id):
                    answer = caller.get(path)
                    assert answer.status_code == 200, answer.text
                    others = [one for one in people if one != id and one in answer.text]
                    assert not others, path
                    assert id in answer.text
                asked += 1
        return asked

    with ThreadPoolExecutor(ASKERS + 2) as pool:
        asking: list[Future[int]] = [pool.submit(asks_on, id) for id in people[:ASKERS]]
        cuts = [(written(ehr, "GET", path), part, read) for id in people for path, part, read in product(questions(id), SENT, READ)]
        try:
            list(pool.map(lambda cut: cut_off(ehr, *cut), cuts))
        finally:
            over.set()
        assert all(one.result() for one in asking)


def test_what_is_sent_by_who_hangs_up_is_there_once_or_not_at_all(ehr: Caller, people: list[str]) -> None:
    """Sent again it is there: nothing is left behind that stands in the way."""

    def made(value: str) -> bytes:
        return orjson.dumps(observation(people[0], identifier=[{"system": SYSTEM, "value": value}]))

    cuts = list(product(SENT, READ))
    for place, cut in enumerate(cuts):
        cut_off(ehr, written(ehr, "POST", "Observation", made(str(place)), **{"If-None-Exist": f"identifier={SYSTEM}|{place}"}), *cut)
    for place, _ in enumerate(cuts):
        asked = {"If-None-Exist": f"identifier={SYSTEM}|{place}"}
        assert ehr.post("Observation", made(str(place)), headers=asked).status_code in (200, 201)
        assert len(ehr.found(f"Observation?identifier={SYSTEM}|{place}")) == 1
