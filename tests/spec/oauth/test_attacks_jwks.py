"""Far sides that serve key sets in bad faith, over real sockets. ASVS 5.0 1.3.6, 2.4.1; RFC 9700 section 4.12 (redirects).

What addresses may be called is in test_jwks_fetch; here the call has been made and the other side misbehaves.
"""

import asyncio
import gzip
import json
import threading
from collections.abc import Sequence

import pytest

from hub import outbound
from hub.outbound import BODY_MAX_BYTES, Outbound, OutboundPolicy, Unreachable
from security.oauth.errors import JwksUnavailable
from tests.support.far_side import Answer, Asked, far_side, whole

HERE = OutboundPolicy(allow_loopback_http=True)
HUNDRED_MB = 100_000_000
PIECE = bytes(65_536)
SHORT_S, PATIENCE_S = 0.3, 60
NEVER = threading.Event()
SOCKETS_HOLD_MAX = 16_000_000
"""What the system's buffers may take in before a sender notices that nobody reads."""


async def refused(url: str, **given: object) -> str:
    async with Outbound(HERE, **given) as client:  # type: ignore[arg-type]
        with pytest.raises(JwksUnavailable) as caught:
            await client.fetch_jwks(url)
    return str(caught.value)


def endless(head: bytes) -> Answer:
    def answer(asked: Asked) -> None:
        asked.send(head)
        while asked.sent < HUNDRED_MB:
            asked.send(PIECE)

    return answer


@pytest.mark.parametrize(
    "head",
    [
        f"HTTP/1.1 200 OK\r\nContent-Length: {HUNDRED_MB}\r\n\r\n".encode(),
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Header: ",
    ],
    ids=["announced", "until closed", "in a header"],
)
async def test_a_key_set_of_a_hundred_megabytes_is_left_after_its_first_pieces(head: bytes) -> None:
    """Bounded while it is read: it is neither kept nor taken to its end."""
    with far_side(endless(head)) as far:
        await refused(far.url())
        assert far.asked[0].sent < SOCKETS_HOLD_MAX


def dripping(head: bytes) -> Answer:
    """A byte now and then, so that no single wait is long."""

    def answer(asked: Asked) -> None:
        asked.send(head)
        while not NEVER.wait(SHORT_S / 10):
            asked.send(b"x")

    return answer


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\nX-Header: ", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"],
    ids=["before the status", "in a header", "in the body", "after a 100"],
)
async def test_a_far_side_that_drips_is_left_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    """Slow loris, from the other end: the time is that of the whole call and not of each byte."""
    monkeypatch.setattr(outbound, "TIME_LIMIT_S", SHORT_S)
    with far_side(dripping(head)) as far:
        async with asyncio.timeout(PATIENCE_S):
            await refused(far.url())


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_leads_nowhere(status: str) -> None:
    """To this machine, to the addresses of cloud metadata, to a file: the other place is not asked."""
    with far_side(whole(b'{"keys": []}')) as inside:
        for target in (inside.url(), inside.url(host="[::1]"), "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"):
            with far_side(whole(b"", f"Location: {target}", status=status)) as far:
                await refused(far.url())
                assert len(far.asked) == 1
        assert inside.asked == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"])
async def test_a_bomb_of_compressed_zeros_is_not_unpacked(encoding: str) -> None:
    """Small on its way and large here."""
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < BODY_MAX_BYTES
    with far_side(whole(bomb, f"Content-Encoding: {encoding}")) as far:
        assert "compressed" in await refused(far.url())


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"keys":' * 7_000,
        b'{"keys": [' + b'{"kid":"a"},' * 5_000 + b'{"kid":"b"}]}',
        json.dumps({"keys": "x" * 60_000}).encode(),
        b'{"keys": [], "keys": {}}',
        b"\xff\xfe" + b"0" * 1_000,
    ],
    ids=["nested lists", "nested objects", "many keys", "no list", "twice", "no UTF-8"],
)
async def test_a_key_set_that_is_made_to_cost_is_read_or_refused_and_never_breaks(body: bytes) -> None:
    """Depth, number and shape."""
    with far_side(whole(body)) as far:
        async with Outbound(HERE) as client:
            try:
                found = await client.fetch_jwks(far.url())
            except JwksUnavailable:
                return
    assert isinstance(found.jwks["keys"], list)


class Rebinding:
    """A resolver whose second answer is another one."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


async def test_the_name_is_resolved_once_and_the_call_goes_where_was_looked() -> None:
    """DNS rebinding: between the look and the call there is no second question."""

    with far_side(whole(b'{"keys": []}')) as far:
        names = Rebinding(["127.0.0.1"], ["169.254.169.254"])
        async with Outbound(HERE, resolve=names) as client:
            assert (await client.fetch_jwks(far.url(host="rebinding.example.org"))).jwks == {"keys": []}
        assert (names.asked, len(far.asked)) == (1, 1)
        assert b"\r\nHost: rebinding.example.org:" in far.asked[0].head


@pytest.mark.parametrize("beside", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254", "10.0.0.1", "0.0.0.0"])  # noqa: S104
async def test_one_bad_address_among_good_ones_ends_the_call_before_it_is_made(beside: str) -> None:
    """A name with two addresses, of which one is inside."""
    with far_side(whole(b'{"keys": []}')) as far:
        names = Rebinding(["127.0.0.1", beside])
        await refused(far.url(host="two.example.org"), resolve=names)
        assert far.asked == []


async def test_calls_to_clouds_have_the_same_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other way out of the hub."""
    monkeypatch.setattr(outbound, "CALL_TIME_LIMIT_S", SHORT_S)
    with far_side(dripping(b"HTTP/1.1 200 OK\r\n\r\n")) as far:
        async with Outbound(HERE) as client, asyncio.timeout(PATIENCE_S):
            with pytest.raises(Unreachable):
                await client.call(far.url())
    with far_side(whole(b"{}")) as far:
        async with Outbound() as client:
            with pytest.raises(Unreachable):
                await client.call(far.url())
        assert far.asked == []
