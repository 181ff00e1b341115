"""What can be wrong with a resource, with its bytes, with a word: one thing at a time, or several. All from one seed."""

import copy
import gzip
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.resources import CANARY

Json = dict[str, Any]
Node = dict[str, Any] | list[Any]

ODD_TEXTS = (
    "",
    " ",
    "\t",
    "\u0000",
    "\ud800",
    "\u202e" + CANARY,
    "é" * 300,
    CANARY * 2_000,
    "<script>alert(1)</script>",
    "'; drop table x; --",
    "$where",
    "{'$gt': ''}",
    "../../etc/passwd",
    "%00%ff",
    "Patient/../Observation",
    "http://[::1",
    "urn:uuid:nonsense",
    "#",
    "#absent",
    "0000-00-00",
    "2026-02-30",
    "9999-12-31T23:59:60Z",
    "2026-03-01T25:00:00Z",
    "2026-03-01T10:00:00",
    "-0",
    "1e999",
    "true",
    "null",
    "NaN",
    "Patient/" + "x" * 65,
    "Group/1",
    "Observation?code=x",
)
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1e308,
    10**40,
    0.1 + 0.2,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"extension": [{"url": "u", "valueString": CANARY}]},
    {"reference": "Patient/absent"},
    {"resourceType": "Patient"},
)


def walked(node: Any) -> list[Node]:
    """Every object and array inside, however deep."""
    found: list[Node] = []
    ahead = [node]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict | list):
            found.append(one)
            ahead += reversed(one if isinstance(one, list) else list(one.values()))
    return found


def nested(depth: int) -> Any:
    made: Any = CANARY
    for _ in range(depth):
        made = {"extension": [made]}
    return made


def odd(random: Random) -> Any:
    return random.choice(ODD_TEXTS) if random.random() < 0.5 else copy.deepcopy(random.choice(ODD_VALUES))


def mutated(random: Random, resource: Json, times: int = 1) -> Json:
    """`times` different things, so that one resource is not made deep over and over: what writes JSON has its limits too."""
    made: Json = json.loads(dumped(resource))
    for mutate in random.sample(MUTATIONS, times):
        mutate(random, random.choice(walked(made)))
    return made


def _replace(random: Random, node: Node) -> None:
    if node:
        node[_key(random, node)] = odd(random)  # type: ignore[index]


def _remove(random: Random, node: Node) -> None:
    if node:
        del node[_key(random, node)]  # type: ignore[arg-type]


def _wrap(random: Random, node: Node) -> None:
    if node:
        key = _key(random, node)
        node[key] = [node[key]]  # type: ignore[index]


def _unwrap(random: Random, node: Node) -> None:
    if node:
        key = _key(random, node)
        value = node[key]  # type: ignore[index]
        node[key] = value[0] if isinstance(value, list) and value else [value, value]  # type: ignore[index]


def _add(random: Random, node: Node) -> None:
    name = random.choice(
        ("extension", "contained", "id", "meta", "text", "_status", "nonsense", "resourceType", "modifierExtension", "language")
    )
    if isinstance(node, dict):
        node[name] = odd(random)
    else:
        node.append(odd(random))


def _rename(random: Random, node: Node) -> None:
    if isinstance(node, dict) and node:
        key = random.choice(list(node))
        node[random.choice((f"_{key}", key.upper(), f"{key}x", "valueString", "valueQuantity"))] = node.pop(key)


def _deepen(random: Random, node: Node) -> None:
    if isinstance(node, dict):
        node["extension"] = [nested(random.choice((5, 40, 200)))]


def _many(random: Random, node: Node) -> None:
    if node:
        key = _key(random, node)
        node[key] = [node[key]] * random.choice((2, 50, 500))  # type: ignore[index]


def _key(random: Random, node: Node) -> Any:
    return random.choice(list(node)) if isinstance(node, dict) else random.randrange(len(node))


MUTATIONS: tuple[Callable[[Random, Node], None], ...] = (_replace, _replace, _remove, _wrap, _unwrap, _add, _rename, _deepen, _many)


def damaged(random: Random, body: bytes) -> tuple[bytes, dict[str, str]]:
    """The bytes and the headers that go with them."""
    cut = random.randrange(len(body) + 1)
    ways: tuple[tuple[bytes, dict[str, str]], ...] = (
        (body[:cut], {}),
        (b"", {}),
        (b"\xef\xbb\xbf" + body, {}),
        (body.decode(errors="replace").encode("utf-16"), {}),
        (body[:cut] + b"\xff\xfe\x00" + body[cut:], {}),
        (body + body, {}),
        (b"[" * 3_000, {}),
        (b'{"resourceType":' * 500, {}),
        (b'{"resourceType": "Patient", "resourceType": "Observation"}', {}),
        (b'{"resourceType": "Observation", "valueQuantity": {"value": NaN}}', {}),
        (b'{"resourceType": "Observation", "valueQuantity": {"value": 1e99999}}', {}),
        (b'{"resourceType": "Observation", "valueQuantity": {"value": ' + b"9" * 5_000 + b"}}", {}),
        (gzip.compress(body, mtime=0), {"Content-Encoding": "gzip"}),
        (body, {"Content-Encoding": "br"}),
        (
            body,
            {"Content-Type": random.choice(("text/plain", "application/fhir+xml", "", "application/fhir+json; charset=utf-16", "a/b/c"))},
        ),
        (b"<Patient xmlns='http://hl7.org/fhir'/>", {"Content-Type": "application/fhir+xml"}),
        (b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><Patient>&e;</Patient>", {"Content-Type": "application/fhir+xml"}),
        (b'"' + CANARY.encode() + b'"', {}),
        (b"null", {}),
    )
    return random.choice(ways)


def dumped(resource: Any) -> bytes:
    """As a careless client would: NaN and half characters included."""
    return json.dumps(resource).encode()
