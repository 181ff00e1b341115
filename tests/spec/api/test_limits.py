"""Limits, each with an answer of its own: never a 5xx for what a client did, never a hang. FHIR.md 4b.11; RFC 9110 15.5."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tests.support.caller import FHIR_JSON, Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, organization

Json = dict[str, Any]
ANSWERED_S = 120


def raw(caller: Caller, head: str, *parts: bytes) -> bytes:
    """What a bare socket gets back: the status line, or nothing where the connection was closed."""
    url = urlsplit(caller.base)
    with socket.create_connection((url.hostname or "", url.port or 80), ANSWERED_S) as connection:
        connection.settimeout(ANSWERED_S)
        try:
            connection.sendall(head.replace("\n", "\r\n").encode())
            for part in parts:
                connection.sendall(part)
            return connection.recv(65_536).partition(b"\r\n")[0]
        except (BrokenPipeError, ConnectionResetError):
            return b""


def heard(caller: Caller, *parts: bytes) -> bytes:
    """All that a bare socket gets back until the connection is closed."""
    url = urlsplit(caller.base)
    with socket.create_connection((url.hostname or "", url.port or 80), ANSWERED_S) as connection:
        connection.settimeout(ANSWERED_S)
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def lasting(caller: Caller) -> None:
    """The hub goes on."""
    assert caller.get("Organization?_count=0").status_code == 200


def test_a_body_that_is_too_long_is_refused(ehr: Caller) -> None:
    """RFC 9110 15.5.14: 413, by what is announced and by what is counted."""
    body = json.dumps(organization("x" * 60_000_000)).encode()
    refused(ehr.post("Organization", body), 413, "too-long")
    lasting(ehr)


def test_a_body_that_announces_too_much_is_refused_before_it_comes(ehr: Caller) -> None:
    head = (
        f"POST /fhir/Organization HTTP/1.1\nHost: hub\nAuthorization: Bearer {ehr.token}\n"
        f"Content-Type: {FHIR_JSON}\nContent-Length: 99999999999\n\n"
    )
    assert b" 413 " in raw(ehr, head, b"{")


def test_a_body_without_end_is_cut_off_where_it_becomes_too_long(ehr: Caller) -> None:
    """Chunked: nothing announces how much comes."""
    head = (
        f"POST /fhir/Organization HTTP/1.1\nHost: hub\nAuthorization: Bearer {ehr.token}\n"
        f"Content-Type: {FHIR_JSON}\nTransfer-Encoding: chunked\n\n"
    )
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    assert raw(ehr, head, *[chunk] * 60) in (b"HTTP/1.1 413 Request Entity Too Large", b"HTTP/1.1 413 Content Too Large", b"")
    lasting(ehr)


@pytest.mark.parametrize("depth", [200, 5_000, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"extension":[', "]}")])
def test_json_that_is_nested_too_deeply_is_refused(ehr: Caller, depth: int, opening: str, closing: str) -> None:
    body = f'{{"resourceType":"Organization","extension":{opening * depth}{closing * depth}}}'
    answer = ehr.post("Organization", body)
    assert 400 <= answer.status_code < 500
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["code"] in ("structure", "too-long", "invalid", "required")
    lasting(ehr)


def test_too_many_codings_are_refused(ehr: Caller) -> None:
    """Each is an entry in an index, written in one transaction with what others write."""
    many = [{"system": "urn:limits", "value": str(number)} for number in range(9_000)]
    refused(ehr.post("Organization", organization(identifier=many)), 413, "too-long")


@pytest.mark.parametrize("path", ["Organization", "_history", "Organization/_history", f"Organization/{ABSENT}/_history"])
def test_too_many_parameters_are_refused(ehr: Caller, path: str) -> None:
    refused(ehr.get(f"{path}?{'&'.join(['_count=1'] * 101)}"), 400, "invalid")


@pytest.mark.parametrize(("length", "status"), [(4_000, 200), (20_000, 400), (60_000, 400), (200_000, 414)])
def test_a_url_that_is_too_long_is_refused_as_such(ehr: Caller, length: int, status: int) -> None:
    """RFC 9110 15.5.15; 400 for a value of a search parameter that is too long."""
    line = f"GET /fhir/Organization?name={'x' * length} HTTP/1.1\nHost: hub\nAuthorization: Bearer {ehr.token}\nConnection: close\n\n"
    told(heard(ehr, line.replace("\n", "\r\n").encode()), status, "too-long" if status == 414 else None)
    lasting(ehr)


@pytest.mark.parametrize(("count", "length", "status"), [(90, 10, 200), (6_000, 10, 431), (1, 60_000, 200), (1, 500_000, 431)])
def test_headers_that_are_too_many_or_too_long_are_refused_as_such(ehr: Caller, count: int, length: int, status: int) -> None:
    """RFC 6585 5. Nobody is known yet who could be held to account for what lies in memory."""
    more = "".join(f"X-More-{number}: {'x' * length}\n" for number in range(count))
    head = f"GET /fhir/Organization?_count=0 HTTP/1.1\nHost: hub\nAuthorization: Bearer {ehr.token}\n{more}Connection: close\n\n"
    told(heard(ehr, head.replace("\n", "\r\n").encode()), status, "too-long" if status == 431 else None)
    lasting(ehr)


def test_a_body_is_no_part_of_the_head(ehr: Caller) -> None:
    """Requests one behind the other on one connection, a body and the next head in one packet."""
    body = orjson.dumps(organization(extension=[{"url": "urn:test:long", "valueString": "x" * 300_000}]))
    head = f"POST /fhir/Organization HTTP/1.1\nHost: hub\nAuthorization: Bearer {ehr.token}\nPrefer: return=minimal\n"
    head += f"Content-Type: application/fhir+json\nContent-Length: {len(body)}\n"
    lines = [head.replace("\n", "\r\n") + more + "\r\n" for more in ("", "Connection: close\r\n")]
    answer = heard(ehr, lines[0].encode() + body + lines[1].encode() + body)
    assert answer.count(b"HTTP/1.1 201") == 2


def told(answer: bytes, status: int, code: str | None) -> None:
    assert answer.split(b" ")[1] == str(status).encode(), answer[:200]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/fhir+json" in head.lower()
    if code is not None:
        assert orjson.loads(body)["issue"][0]["code"] == code


@pytest.mark.parametrize(
    "line", ["GET", "GET /fhir/Organization", "GET /fhir/Organization HTTP/9.9", "\x00\x01\x02", "GET  HTTP/1.1", "FOO /fhir/x HTTP/1.1"]
)
def test_what_is_no_http_is_no_fault_of_ours(ehr: Caller, line: str) -> None:
    answer = heard(ehr, f"{line}\r\nHost: hub\r\nConnection: close\r\n\r\n".encode())
    told(answer, int(answer.split(b" ")[1]), None)
    assert answer.split(b" ")[1].startswith(b"4")
    lasting(ehr)


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "1, 2"])
def test_a_length_that_is_none_is_no_fault_of_ours(ehr: Caller, length: str) -> None:
    head = (
        f"POST /fhir/Organization HTTP/1.1\nHost: hub\nAuthorization: Bearer {ehr.token}\nContent-Length: {length}\nConnection: close\n\n"
    )
    status = raw(ehr, head, b"{}").split(b" ")[1:2]
    assert not status or status[0].startswith(b"4")
    lasting(ehr)
