"""What a long payload holds while it is answered is let go where there is no answer. docs/adr/0020-uploads.md; law 2.

The hub runs inside the test, so that its log can be made to fail.
"""

from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from hub.ingest import routes
from hub.ingest.upload import Answering
from hub.store.committer import Unreached
from hub.store.embedded import Endpoint
from tests.support.apple import export
from tests.support.backstage import new_client
from tests.support.inprocess import in_process
from tests.support.outcomes import refused

PAYLOAD = export(200)
LONG = 20_000
"""Bytes: what is taken as a whole, which this is not."""


class Deaf:
    """A log that is away."""

    async def write(self, *_: object) -> None:
        raise Unreached


class Kept(Answering):
    """An answer that stays in memory, so that it is not left to the interpreter to let go of what it holds."""

    made: ClassVar[list["Kept"]] = []

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.made.append(self)


async def test_a_replay_that_cannot_be_recorded_takes_no_seat_and_no_turn(
    clean_database: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers are there already, so its record is all that is written: 503, and the same sent again gets them."""
    monkeypatch.setattr(routes, "Answering", Kept)
    async with in_process(tmp_path, clean_database, max_ingest_bytes=LONG, uploads_at_once=1) as hub:
        account = await hub.register(new_client("sender", "system/*.cruds", consent_default="opt-out", recorder=True))
        headers = {**hub.authorization(account, "system/*.cruds"), "Idempotency-Key": "once", "Content-Type": "application/xml"}

        async def send() -> httpx.Response:
            return await hub.http.post("/ingest/apple-health", content=PAYLOAD, headers=headers, params={"device": "nobodys"})

        first = await send()
        assert first.status_code == 200, first.text
        lanes = hub.hub.services.store.committer.each
        writers = [lane._writer for lane in lanes]
        for lane in lanes:
            lane._writer = Deaf()
        refused(await send(), 503, "transient")
        for lane, writer in zip(lanes, writers, strict=True):
            lane._writer = writer
        assert len(Kept.made) == 2
        again = await send()
        assert (again.status_code, again.headers["idempotency-replayed"], again.content) == (200, "true", first.content)
