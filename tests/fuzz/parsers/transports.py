"""The parsers beside the adapters: frames, signatures, topics, packing, clouds' answers, mappings and templates. Each takes bytes."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from adapters.contract import Unreadable
from adapters.declarative import MappingError, load
from adapters.declarative.expressions import compiled
from adapters.declarative.failure import Unusable
from adapters.declarative.iomt import load as load_templates
from adapters.refusal import ItemRefused
from hub.errors import FhirError
from hub.http import gunzip
from hub.ingest.clouds import CLOUDS, CloudRefused, Credentials, Tokens
from hub.ingest.fates import Answer
from hub.ingest.mllp.acknowledge import acknowledgements, asked_of, verdict_of
from hub.ingest.mllp.frames import FrameBroken, Frames, FrameTooLong, framed
from hub.ingest.topics import TopicSyntax, address, parse_row
from hub.ingest.wakes import USER_CHARS_MAX, user_of
from security.webhooks import new_secret, signed_by_key, signed_by_secret
from tests.fuzz.parsers.promises import NOW_US, hold, keeps_adapter_promises, same

FRAME_BYTES_MAX = 2_048
UNPACKED_BYTES_MAX = 100_000
SECRET = new_secret(bytes(range(32)))
JWKS: Mapping[str, Any] = {
    "keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "use": "sig", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]
}
MESSAGE = {
    "sn": "S1",
    "at": "2026-01-05T10:00:00+01:00",
    "hr": 61,
    "items": [{"hr": 60, "a": {"b": [1, "x", None]}, "at": 1767607200}, {"hr": "61.50", "sn": "S2"}],
}


def frames(payload: bytes) -> None:
    """However the bytes are cut, the same messages come out, up to the same fault."""
    whole, pieces = _taken(payload, [payload]), _taken(payload, _cut(payload))
    same(whole, pieces, "cut in another way, a stream gives other messages")
    for message in whole:
        if isinstance(message, bytes) and b"\x0b" not in message:
            same(_taken(message, [framed(message)]), [message], "a message that was framed is not the one that comes out")


def _taken(_: bytes, parts: Iterable[bytes]) -> list[bytes | str]:
    taking, made = Frames(FRAME_BYTES_MAX), list[bytes | str]()
    for part in parts:
        try:
            made += taking.feed(part)
        except FrameBroken:
            return [*made, "broken"]
        except FrameTooLong as error:
            hold(len(error.beginning) <= FRAME_BYTES_MAX + len(part), "more of a block is kept than was allowed")
            return [*made, "too long"]
    return made


def _cut(payload: bytes) -> Iterable[bytes]:
    return (payload[place : place + 1] for place in range(len(payload)))


def acknowledged(payload: bytes) -> None:
    """What has an MSH is answered in its own delimiters and character set, whatever else is in it."""
    asked = asked_of(payload)
    if asked is None:
        return
    answers = [Answer(fate="quarantined", pointer=f"row {row}", code="no-time", hint="a|b^c\\d&e~f") for row in (1, 2, 999)]
    for made in acknowledgements(asked, verdict_of(asked, answers), ids=("1", "2"), now_us=NOW_US):
        hold(made.count(b"MSA") and made.endswith(b"\r"), "an acknowledgement is none")


def signatures(payload: bytes) -> None:
    """Lines of headers, an empty line, the body: nobody without the secret is believed."""
    head, _, body = payload.partition(b"\n\n")
    headers = {name.lower(): value for name, _, value in (line.partition(":") for line in head.decode("latin-1").split("\n"))}
    by_secret = signed_by_secret(headers, body, (SECRET,), NOW_US)
    by_key = signed_by_key(headers.get("jws-signature", ""), body, JWKS, NOW_US)
    hold(by_secret is None and by_key is None, "a signature was invented")


def topics(payload: bytes) -> None:
    """A row, a line feed, a topic."""
    row, _, topic = payload.decode("utf-8", "replace").partition("\n")
    with suppress(TopicSyntax):
        parsed = parse_row(row)
        found = address(topic, (parsed,))
        hold(found is None or found.row is parsed, "a topic is addressed to nobody's row")
        hold(parsed.filter.count("/") == len(parsed.levels) - 1, "a filter has other levels than its row")


def packed(payload: bytes) -> None:
    with suppress(FhirError):
        hold(len(gunzip(payload, UNPACKED_BYTES_MAX)) <= UNPACKED_BYTES_MAX, "more comes out than may")


def pinged(payload: bytes) -> None:
    user = user_of(payload)
    hold(user is None or 0 < len(user) <= USER_CHARS_MAX, "a name is too long")


def clouds(payload: bytes) -> None:
    """What a vendor's cloud answers: where to go on and new tokens, or a refusal."""
    for cloud in CLOUDS.values():
        cursor = cloud.begin(NOW_US - 3_600_000_000)
        with suppress(CloudRefused):
            further, _ = cloud.following(payload, cursor, NOW_US)
            hold(orjson.loads(orjson.dumps(further)) == further, "a cursor cannot be kept")
            cloud.ask("https://cloud.example", "token", further, NOW_US)
        with suppress(CloudRefused):
            tokens = cloud.renewed(payload, Tokens(access="a", refresh="r", expires_us=0), NOW_US)
            cloud.renewing("https://cloud.example", Credentials(client_id="c", client_secret="s"), tokens)


def expressions(payload: bytes) -> None:
    """An expression of either language, asked of a message."""
    text = payload.decode("utf-8", "replace")
    for jmespath in (False, True):
        with suppress(Unusable, ItemRefused):
            compiled(text, (), jmespath=jmespath).value(MESSAGE)


def mappings(payload: bytes) -> None:
    """A mapping is loaded or told what is wrong; what is loaded reads a message like any adapter."""
    try:
        made = load(payload.decode("utf-8", "replace"))
    except MappingError as error:
        hold(error.faults, "a mapping is refused without a word")
        return
    keeps_adapter_promises(made, orjson.dumps(MESSAGE))


def templates(payload: bytes) -> None:
    """Device content, FHIR mapping and a message, as members of one object."""
    try:
        given = orjson.loads(payload)
        content, fhir, message = (json.dumps(given[name]) for name in ("content", "fhir", "message"))
    except (ValueError, TypeError, KeyError):
        return
    head = {"name": "iomt", "version": "1.0.0", "product": "x", "manufacturer": "x", "identifier_system": "urn:x:device"}
    try:
        made = load_templates(content, fhir, **head)
    except MappingError as error:
        hold(error.faults, "a template is refused without a word")
        return
    with suppress(Unreadable):
        keeps_adapter_promises(made, message.encode())
