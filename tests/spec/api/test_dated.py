"""Date and Last-Modified. https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1, #section-8.8.2.1"""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from hub.dated import Dated
from hub.instants import http_date
from tests.support.caller import Caller
from tests.support.resources import organization

SECOND_US = 1_000_000
NOON_US = 1_780_000_000 * SECOND_US


async def answered(now_us: int, *headers: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """What leaves where an application says this at this time."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b"x"})

    async def send(message: Any) -> None:
        sent.append(message)

    await Dated(app, lambda: now_us)({"type": "http"}, send, send)
    assert sent[1] == {"type": "http.response.body", "body": b"x"}
    found: list[tuple[bytes, bytes]] = sent[0]["headers"]
    return found


@pytest.mark.parametrize(
    ("modified_us", "said_us"), [(NOON_US - 5 * SECOND_US, NOON_US - 5 * SECOND_US), (NOON_US, NOON_US), (NOON_US + SECOND_US, NOON_US)]
)
async def test_what_lies_ahead_was_changed_now(modified_us: int, said_us: int) -> None:
    """RFC 9110 8.8.2.1: a date later than the message's own is replaced by that one; any other stays."""
    modified, date = (http_date(us).encode() for us in (modified_us, NOON_US))
    said = http_date(said_us).encode()
    other = (b"etag", b'W/"1"')
    assert await answered(NOON_US + 999_999, other, (b"last-modified", modified)) == [other, (b"last-modified", said), (b"date", date)]


def test_an_answer_has_one_date_and_no_change_after_it(ehr: Caller) -> None:
    """RFC 9110 6.6.1, over the wire: of what was made this very moment, too."""
    for _ in range(20):
        answer = ehr.post("Organization", organization())
        assert answer.headers.get_list("date", split_commas=False) == [answer.headers["date"]]
        assert parsedate_to_datetime(answer.headers["last-modified"]) <= parsedate_to_datetime(answer.headers["date"])
