"""Idempotency-Key: a request that comes again gets the answer it got, and is not done again.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07. The answer is kept in the transaction
of the readings, so there is no moment at which one of them is there alone; after HUB_IDEMPOTENCY_HOURS the key is free.
Without the header sending again is safe too, but the fates are `duplicate` then.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import orjson

from hub.errors import FhirError
from hub.ingest.fates import Answer
from hub.ingest.intake import Parcel, take_in
from hub.notebook import Notebook
from hub.recording import Recording
from hub.repository import Repository
from hub.store.protocol import NoteWrite

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]){1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')
"""A string of RFC 8941, or the same without quotes, as many clients send it."""
ANSWERS_MAX = 50_000
"""Of one request: what is kept has to fit into one document of the database."""
HOUR_US = 3_600_000_000
KIND = "answer"


class Answered(Exception):
    """Another process has answered this key meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`replayed`: this is the answer that was given before."""

    answers: Sequence[Answer]
    replayed: bool = False


def key_of(header: str | None) -> str | None:
    """The key of the header, None without one. Raises FhirError invalid."""
    if header is None:
        return None
    found = KEY.fullmatch(header.strip())
    if found is None:
        raise FhirError("invalid", f"{HEADER} has 1 to 255 visible ASCII characters, best in quotes.", expression=f"http.{HEADER}")
    return found[1] or found[2]


async def take_in_once(repository: Repository, recording: Recording, parcel: Parcel, key: str) -> Outcome:
    """As `take_in`, or the answer that was kept. Raises FhirError business-rule if the key was used for something else."""
    once = Once(repository, key, fingerprint(parcel))
    async with repository.services.turns.of(once.name):
        kept = await once.kept()
        if kept is None:
            try:
                return Outcome(answers=await take_in(repository, recording, parcel, once.keep))
            except Answered:
                recording.forget()
                kept = await once.kept() or []
    return Outcome(answers=kept, replayed=True)


class Once:
    """One key of one client, or one part of an upload under it."""

    def __init__(self, repository: Repository, key: str, fingerprint: str, part: int = 0) -> None:
        self._services = repository.services
        self._notebook = Notebook(repository.services, KIND)
        self.name = f"{repository.caller.client_id}\n{key}" + (f"\n{part}" if part else "")
        self._fingerprint = fingerprint

    async def kept(self) -> list[Answer] | None:
        content = (await self._notebook.read(self.name)).content
        if not content:
            return None
        if content["fingerprint"] != self._fingerprint:
            raise FhirError(
                "business-rule",
                f"This {HEADER} was used with another body, adapter or parameter; take a new one.",
                expression=f"http.{HEADER}",
            )
        return [Answer(**one) for one in content["answers"]]

    async def keep(self, answers: Sequence[Answer]) -> Sequence[NoteWrite]:
        if len(answers) > ANSWERS_MAX:
            raise FhirError("too-long", f"With {HEADER} a payload has at most {ANSWERS_MAX} items; send it in parts, each with a key.")
        page = await self._notebook.read(self.name)
        if page.content:
            raise Answered
        content = {"fingerprint": self._fingerprint, "answers": [answer.to_json() for answer in answers]}
        expires_us = self._services.clock() + self._services.settings.idempotency_hours * HOUR_US
        return [await self._notebook.write(page, content, expires_us)]


def fingerprint(parcel: Parcel) -> str:
    """Of everything that decides what becomes of a request."""
    return sha256(said_of(parcel) + parcel.payload).hexdigest()


def said_of(parcel: Parcel) -> bytes:
    """What is said beside the payload, as it goes into the fingerprint."""
    said = (parcel.adapter.manifest.name, parcel.device, parcel.time_zone, parcel.media_type)
    return orjson.dumps(said) + b"\n"
