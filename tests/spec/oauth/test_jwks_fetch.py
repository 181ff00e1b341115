"""A client's JWKS is fetched from its registered URL and from nowhere else.

SMART, client-confidential-asymmetric (registration by URL; not cached beyond Cache-Control); ASVS 5.0 1.3.6 (SSRF); RFC 9111.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from ipaddress import ip_address, ip_network

import httpx
import pytest
import respx

from hub.outbound import (
    BODY_MAX_BYTES,
    MAX_AGE_DEFAULT_S,
    MAX_AGE_MAX_S,
    FetchedJwks,
    Outbound,
    OutboundPolicy,
    max_age_s,
    may_call,
)
from security.oauth.errors import JwksUnavailable

URL = "https://vendor.example.org/keys/jwks.json"
PUBLIC = "93.184.215.14"
AT_PUBLIC = f"https://{PUBLIC}/keys/jwks.json"
JWKS = {"keys": [{"kty": "EC", "kid": "1"}]}
LOOPBACK_TOO = OutboundPolicy(allow_loopback_http=True)


class Names:
    """A resolver in memory that remembers what it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses or (PUBLIC,)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.addresses


@pytest.fixture
def internet() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


async def fetched(names: Names, url: str = URL, policy: OutboundPolicy | None = None) -> FetchedJwks:
    async with Outbound(policy, resolve=names) as outbound:
        return await outbound.fetch_jwks(url)


async def refused(names: Names, url: str = URL, policy: OutboundPolicy | None = None) -> str:
    with pytest.raises(JwksUnavailable) as refusal:
        await fetched(names, url, policy)
    return str(refusal.value)


async def test_a_key_set_is_fetched_over_https(internet: respx.MockRouter) -> None:
    """SMART: registration by URL."""
    internet.get(AT_PUBLIC).respond(json=JWKS, headers={"Cache-Control": "max-age=60"})
    assert await fetched(Names()) == FetchedJwks(jwks=JWKS, max_age_s=60)


async def test_the_connection_goes_to_the_checked_address_under_the_registered_name(internet: respx.MockRouter) -> None:
    """ASVS 1.3.6: the name is resolved once; a second answer of the DNS cannot lead elsewhere."""
    route = internet.get(AT_PUBLIC).respond(json=JWKS)
    names = Names(PUBLIC, "93.184.215.15")
    await fetched(names)
    request = route.calls.last.request
    assert names.asked == [("vendor.example.org", 443)]
    assert request.url.host == PUBLIC
    assert request.headers["Host"] == "vendor.example.org"
    assert request.extensions["sni_hostname"] == "vendor.example.org"


async def test_a_port_and_a_v6_address_are_kept(internet: respx.MockRouter) -> None:
    """RFC 3986 section 3.2.2: an IPv6 address in a URL stands in brackets."""
    route = internet.get("https://[2606:4700::1111]:8443/keys/jwks.json").respond(json=JWKS)
    await fetched(Names("2606:4700::1111"), "https://vendor.example.org:8443/keys/jwks.json")
    assert route.calls.last.request.headers["Host"] == "vendor.example.org:8443"


@pytest.mark.parametrize(
    "url",
    [
        "http://vendor.example.org/jwks.json",
        "ftp://vendor.example.org/jwks.json",
        "file:///etc/passwd",
        "https:///jwks.json",
        "https://user:secret@vendor.example.org/jwks.json",
        "https://vendor.example.org/jwks.json#part",
        "vendor.example.org/jwks.json",
        "https://vendor.example.org:99999/",
        "https://vendor.example.org:0/",
        "https://[::1/",
        "",
    ],
)
async def test_a_url_of_another_form_is_not_called(internet: respx.MockRouter, url: str) -> None:
    """SMART: the JWKS URL is TLS-protected."""
    names = Names()
    assert await refused(names, url)
    assert names.asked == []
    assert not internet.calls


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",  # noqa: S104 (an address to be refused)
        "::",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "::ffff:10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "fec0::1",
        "224.0.0.1",
        "ff02::1",
        "ff0e::1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "2001:0:a00:1::",
    ],
)
@pytest.mark.parametrize("beside", [(), (PUBLIC,)])
async def test_an_address_that_is_not_public_is_not_called(internet: respx.MockRouter, address: str, beside: tuple[str, ...]) -> None:
    """ASVS 1.3.6: private, loopback, link-local, multicast, reserved, and addresses that wrap one; one of them spoils all."""
    assert "may not be called" in await refused(Names(*beside, address))
    assert not internet.calls


async def test_a_host_without_address_is_not_called(internet: respx.MockRouter) -> None:
    """Silence means no."""
    names = Names()
    names.addresses = ()
    assert await refused(names)


@pytest.mark.parametrize("url", ["https://10.0.0.1/jwks.json", "https://[::1]/jwks.json", "https://0x7f000001/jwks.json"])
async def test_an_address_in_place_of_the_name_is_checked_alike(internet: respx.MockRouter, url: str) -> None:
    """The system's resolver hands an address back as it is, in whatever spelling it was written."""
    async with Outbound(resolve=Names("127.0.0.1")) as outbound:
        with pytest.raises(JwksUnavailable):
            await outbound.fetch_jwks(url)
    assert not internet.calls


@pytest.mark.parametrize(
    ("address", "scheme", "policy", "expected"),
    [
        (PUBLIC, "https", OutboundPolicy(), True),
        (f"::ffff:{PUBLIC}", "https", OutboundPolicy(), True),
        ("::ffff:127.0.0.1", "http", LOOPBACK_TOO, True),
        (PUBLIC, "http", LOOPBACK_TOO, False),
        ("127.0.0.1", "http", LOOPBACK_TOO, True),
        ("::1", "http", LOOPBACK_TOO, True),
        ("127.0.0.1", "https", LOOPBACK_TOO, True),
        ("10.0.0.1", "https", LOOPBACK_TOO, False),
        ("10.0.0.1", "https", OutboundPolicy(allowed_networks=(ip_network("10.0.0.0/8"),)), True),
        ("10.0.0.1", "http", OutboundPolicy(allowed_networks=(ip_network("10.0.0.0/8"),)), False),
        ("127.0.0.1", "https", OutboundPolicy(allowed_networks=(ip_network("0.0.0.0/0"),)), False),
    ],
)
def test_the_operator_may_name_its_own_networks_and_this_machine(
    address: str, scheme: str, policy: OutboundPolicy, *, expected: bool
) -> None:
    """A hospital's own network is private; plain http serves to try things out on one machine, nowhere else."""
    assert may_call(ip_address(address), scheme, policy) is expected


async def test_plain_http_reaches_this_machine_only_when_allowed(internet: respx.MockRouter) -> None:
    """The same through the client."""
    internet.get("http://127.0.0.1:9000/jwks.json").respond(json=JWKS)
    url, names = "http://localhost:9000/jwks.json", Names("127.0.0.1")
    assert (await fetched(names, url, LOOPBACK_TOO)).jwks == JWKS
    assert await refused(names, url)
    assert await refused(Names(PUBLIC), url, LOOPBACK_TOO)


@pytest.mark.parametrize("status", [301, 302, 307, 204, 404, 500])
async def test_a_redirect_is_not_followed_and_only_200_counts(internet: respx.MockRouter, status: int) -> None:
    """ASVS 1.3.6: a redirect would lead past the check."""
    internet.get(AT_PUBLIC).respond(status, json=JWKS, headers={"Location": "https://vendor.example.org/elsewhere"})
    assert str(status) in await refused(Names())
    assert len(internet.calls) == 1


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"null", b'{"keys": {}}', b'{"key": []}', b"\xff", b"[" * 5_000])
async def test_what_is_no_key_set_is_refused(internet: respx.MockRouter, body: bytes) -> None:
    """RFC 7517 section 5."""
    internet.get(AT_PUBLIC).respond(content=body)
    assert await refused(Names())


async def test_the_size_is_bounded_while_reading(internet: respx.MockRouter) -> None:
    """Ours: BODY_MAX_BYTES; what is beyond is never asked for."""
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 1_024
            yield b" " * 1_024

    internet.get(AT_PUBLIC).mock(return_value=httpx.Response(200, stream=Endless(endless())))
    assert "longer" in await refused(Names())
    assert given <= BODY_MAX_BYTES + 2_048


class Endless(httpx.AsyncByteStream):
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks


async def test_a_compressed_answer_is_refused(internet: respx.MockRouter) -> None:
    """Ours: a small body could become a large one; identity was asked for."""
    route = internet.get(AT_PUBLIC).respond(content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert "compressed" in await refused(Names())
    assert route.calls.last.request.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("error", [httpx.ConnectTimeout, httpx.ConnectError, httpx.ReadError, TimeoutError, OSError])
async def test_a_failure_of_the_network_is_one_kind_of_error(internet: respx.MockRouter, error: type[Exception]) -> None:
    """The endpoint turns it into invalid_client; the cause is for the log."""
    internet.get(AT_PUBLIC).mock(side_effect=error("secret"))
    assert "secret" not in await refused(Names())


async def test_a_name_that_does_not_resolve_is_the_same_kind_of_error() -> None:
    """Ours: the cause is for the log."""

    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError(host)

    async with Outbound(resolve=unknown) as outbound:
        with pytest.raises(JwksUnavailable):
            await outbound.fetch_jwks(URL)


async def test_cookies_are_neither_kept_nor_sent(internet: respx.MockRouter) -> None:
    """No state of one call reaches another."""
    route = internet.get(AT_PUBLIC).respond(json=JWKS, headers={"Set-Cookie": "a=b"})
    async with Outbound(resolve=Names()) as outbound:
        await outbound.fetch_jwks(URL)
        await outbound.fetch_jwks(URL)
    assert "Cookie" not in route.calls.last.request.headers


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, MAX_AGE_DEFAULT_S),
        ({"Cache-Control": "public"}, MAX_AGE_DEFAULT_S),
        ({"Cache-Control": "max-age=60"}, 60),
        ({"Cache-Control": "Public, Max-Age=60"}, 60),
        ({"Cache-Control": 'max-age="60"'}, 60),
        ({"Cache-Control": "max-age=60, max-age=10"}, 10),
        ({"Cache-Control": "max-age=60", "Age": "20"}, 40),
        ({"Cache-Control": "max-age=60", "Age": "90"}, 0),
        ({"Cache-Control": "max-age=60", "Age": "soon"}, 0),
        ({"Cache-Control": "max-age=0"}, 0),
        ({"Cache-Control": "max-age=-5"}, 0),
        ({"Cache-Control": "max-age=soon"}, 0),
        ({"Cache-Control": "max-age"}, 0),
        ({"Cache-Control": "max-age=99999999"}, MAX_AGE_MAX_S),
        ({"Cache-Control": "max-age=" + "9" * 5_000}, 0),
        ({"Cache-Control": "no-store"}, 0),
        ({"Cache-Control": "no-cache, max-age=60"}, 0),
        ({"Cache-Control": "max-age=60, no-store"}, 0),
        ({"Cache-Control": 'no-cache="Set-Cookie"'}, 0),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_key_set_is_kept_no_longer_than_its_server_says(headers: dict[str, str], seconds: int) -> None:
    """SMART: not cached beyond Cache-Control; RFC 9111 sections 4.2 and 5.2. What cannot be read is not kept."""
    assert max_age_s(httpx.Headers(headers)) == seconds
