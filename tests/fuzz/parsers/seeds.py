"""Where fuzzing begins: payloads that are right. Real samples are read where they lie and never copied into the checkout."""

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from adapters.contract import Adapter, Unreadable
from hub.ingest.mllp.frames import framed
from tests.support.known import SAMPLES_OF, fixtures
from tests.support.mappings import mapping
from tests.support.payloads import SAMPLES

FOUND = Path(__file__).resolve().parent / "found"
"""What fuzzing found and was mended: found/TARGET/what-it-is, the shortest input that showed it, of our own making."""
SEED_BYTES_MAX = 2_048
"""Of a longer payload only the items are taken, each alone."""


def adapter_seeds(adapter: Adapter) -> list[bytes]:
    """Fixtures and samples that are short enough, and the items of all of them, each alone."""
    made: dict[bytes, None] = {}
    for payload in payloads(adapter.manifest.name):
        made[payload] = None
        with suppress(Unreadable):
            made |= {item.raw: None for item in adapter.decode(payload)}
    return [one for one in made if 0 < len(one) <= SEED_BYTES_MAX]


def payloads(name: str) -> Iterator[bytes]:
    for path in fixtures(name.replace("-", "_")):
        yield path.read_bytes()
    for sample in SAMPLES_OF.get(name, ()):
        if SAMPLES.is_dir():
            yield (SAMPLES / sample).read_bytes()


def found(name: str = "*") -> list[Path]:
    """The inputs that showed a fault once, of one target or of all."""
    return sorted(FOUND.glob(f"{name}/*"))


def hl7() -> list[bytes]:
    return [payload for name in ("pcd01", "oru", "idco") for payload in payloads(name) if len(payload) <= SEED_BYTES_MAX]


def _signed() -> list[bytes]:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "EdDSA", "kid": "k", "iat": 1795000000, "jti": "1", "b64": True}).encode()).rstrip(
        b"="
    )
    jws = b"jws-signature:" + head + b".." + base64.urlsafe_b64encode(bytes(64)).rstrip(b"=")
    secret = b"webhook-id:1\nwebhook-timestamp:1795000000\nwebhook-signature:v1," + base64.b64encode(bytes(32)) + b" v1a,x"
    return [jws + b"\n\n{}", secret + b"\n\n{}", jws + b"\n" + secret + b"\n\nx"]


def _templates() -> list[bytes]:
    template = {
        "typeName": "heartrate",
        "typeMatchExpression": "$..[?@heartrate]",
        "deviceIdExpression": "$.device",
        "timestampExpression": "$.at",
        "values": [{"required": "true", "valueName": "hr", "valueExpression": "$.heartrate"}],
    }
    calculated = {**template, "typeMatchExpression": {"value": "[Body]", "language": "JmesPath"}, "timestampExpression": {"value": "$.at"}}
    entry = {
        "typeName": "heartrate",
        "codes": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}],
        "value": {"valueName": "hr", "unit": "/min", "valueType": "Quantity"},
    }
    fhir = {"templateType": "CollectionFhir", "template": [{"templateType": "CodeValueFhir", "template": entry}]}
    message = {"heartrate": "61", "device": "D1", "at": "2026-01-05T10:00:00Z"}
    made = []
    for kind, one in (("JsonPathContent", template), ("IotJsonPathContent", template), ("CalculatedContent", calculated)):
        content = {"templateType": "CollectionContent", "template": [{"templateType": kind, "template": one}]}
        made.append(json.dumps({"content": content, "fhir": fhir, "message": message}).encode())
    return made


def _mappings() -> list[bytes]:
    made = [path.read_bytes() for path in sorted(Path(__file__).resolve().parents[3].glob("adapters/*/mapping.yaml"))]
    blood = {"from": "$.hr", "unit": "mm[Hg]"}
    panel = {"measure": "blood-pressure", "components": {"systolic": blood, "diastolic": blood}, "correlate": {"by": ["$.sn"]}}
    return [*(one for one in made if len(one) <= SEED_BYTES_MAX), json.dumps(mapping()).encode(), json.dumps(mapping(panel)).encode()]


EXPRESSIONS = (
    "$.hr",
    "$..hr",
    "$.items[?@.hr > 1]",
    "$document.items[*].a.b[0]",
    "$['items'][-1]['a']",
    "$.items[0:2:1]",
    "$[?length(@.a) == 1]",
    "items[*].hr | [0]",
    "items[?hr == `60`].a.b",
    "join('-', keys(@))",
    "sort_by(items, &to_string(hr))[0].at",
    "a || b && !c",
    "{x: hr, y: [at, sn]}",
)

TRANSPORT_SEEDS: Mapping[str, Callable[[], Iterable[bytes]]] = {
    "mllp-frames": lambda: [
        framed(b"MSH|^~\\&|A\rPID|1"),
        framed(b"a") * 3,
        b"\r\n" + framed(b""),
        b"\x0bx\x0by\x1c",
        framed(b"x" * 1_500),
    ],
    "mllp-acknowledgement": hl7,
    "webhook-signatures": _signed,
    "mqtt-topics": lambda: [
        b"ward/+/bed/{device}=withings@my-client;timeZone=Europe/Paris\nward/1/bed/7",
        b"a/#=gatt@c\na/b/c",
        b"+/{device}=fit@c\n$SYS/x",
    ],
    "gzip": lambda: [gzip.compress(one) for one in (b"", b"{}", b"x" * 90_000, b"0" * 2_000_000, bytes(range(256)) * 8)],
    "pings": lambda: [b"userid=12345&startdate=1&appli=4", b"user_id=a%20b", b"&&=&userid="],
    "clouds": lambda: [
        b'{"status":0,"body":{"updatetime":1795000000,"more":1,"offset":5,"measuregrps":[],"access_token":"a","expires_in":10800,"refresh_token":"r"}}',
        b'{"records":[],"access_token":"a","expires_in":7200,"refresh_token":"r"}',
        b'{"status":401,"error":"x"}',
    ],
    "expressions": lambda: [one.encode() for one in EXPRESSIONS],
    "mappings": _mappings,
    "iomt-templates": _templates,
}
