"""The one outbound HTTP client.

Every URL that somebody registered is a way to make the hub call where it should not (ASVS 5.0, 1.3.6): the name is
resolved once, every address is checked, and the connection goes to a checked address, so that a second answer of
the DNS changes nothing. No redirects, no proxy of the environment, no cookies, bounded in size and time.
"""

import asyncio
import socket
import ssl
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Self
from urllib.parse import quote_plus

import httpx
import orjson

from security.oauth.errors import JwksUnavailable
from security.oauth.jwks import Proves

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port to the texts of its addresses."""

PORT_MAX = 65_535
BODY_MAX_BYTES = 65_536
TIME_LIMIT_S = 5.0
CALL_MAX_BYTES, CALL_TIME_LIMIT_S = 16_000_000, 30.0
"""Of a page of readings."""
MAX_AGE_DEFAULT_S = 300
MAX_AGE_MAX_S = 3_600
ASKED_AGAIN_S = 10
"""How often at most one address is asked on behalf of what no key proves (docs/adr/0031-how-long-keys-of-others-are-kept.md)."""

EMBEDDING_NETWORKS: tuple[Network, ...] = tuple(
    ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16", "fec0::/10", "192.0.0.0/24")
)
"""Addresses that lead on to others (NAT64, Teredo, 6to4) or are local under an old name: nobody serves a JWKS there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundPolicy:
    """Where the hub may call beyond public addresses.

    allowed_networks     networks of the operator, for instance the hospital's own
    allow_loopback_http  this machine, http included: for trying things out
    """

    allowed_networks: tuple[Network, ...] = ()
    allow_loopback_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedJwks:
    """A key set, or another JSON object, and for how many seconds it may be kept."""

    jwks: dict[str, Any]
    max_age_s: int


class Unreachable(Exception):
    """A cloud could not be called, or not be heard to the end. Says no address and nothing of what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer of a cloud, whatever its status."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A key set, or None for a failure; until when it is good, and when it was last asked for. Times in microseconds since 1970 UTC."""

    until_us: int
    asked_us: int
    jwks: dict[str, Any] | None

    def is_recent(self, now_us: int) -> bool:
        return now_us < self.asked_us + ASKED_AGAIN_S * 1_000_000


class JwksCache:
    """Key sets by URL, each for as long as its server allows (SMART: no longer than its Cache-Control).

    Requests for one URL at one time share one call. What anybody can forge makes the hub ask one address every ASKED_AGAIN_S at most,
    whatever its Cache-Control says: a failure is remembered for so long; a name that a good set has not is looked for once in that time,
    so that a client may begin to sign with a new key; and of a set that may not be used any more it is remembered what it was, to know
    what comes from the client by. That proves nothing: what it vouches for is asked for anew, what it does not is refused meanwhile.

    fetch    `Outbound.fetch_jwks`, or what gives other JSON objects by URL in the same way (`hub.people.discovery`)
    now_us   microseconds since 1970 UTC
    maximum  entries kept; the least recently used goes first, unless it was asked for within ASKED_AGAIN_S
    """

    def __init__(self, fetch: Callable[[str], Awaitable[FetchedJwks]], *, now_us: Callable[[], int], maximum: int = 256) -> None:
        self._fetch = fetch
        self._now_us = now_us
        self._maximum = maximum
        self._entries: OrderedDict[str, _Kept] = OrderedDict()
        self._calls: dict[str, asyncio.Task[dict[str, Any]]] = {}

    async def get(self, url: str, kid: str | None, proves: Proves) -> dict[str, Any]:
        """The key set of this URL; with `kid`, one with this key if there is any. Raises JwksUnavailable.

        proves  asked of a set that ran out, and never more than that: whoever calls looks at the set that is returned
        """
        kept = self._entries.get(url)
        if kept is None:
            return await self._awaited(url)
        self._entries.move_to_end(url)
        recent = kept.is_recent(self._now_us())
        if kept.jwks is None or self._now_us() >= kept.until_us:
            if recent and (kept.jwks is None or not proves(kept.jwks)):
                raise JwksUnavailable("the JWKS was asked for a moment ago, and nothing says that this is worth another call")
            return await self._awaited(url)
        if kid is not None and not _has(kept.jwks, kid) and not recent:
            self._entries[url] = replace(kept, asked_us=self._now_us())
            with suppress(JwksUnavailable):
                return await self._awaited(url)
        return kept.jwks

    async def _awaited(self, url: str) -> dict[str, Any]:
        return await asyncio.shield(self._calls.get(url) or self._call(url))

    def _call(self, url: str) -> asyncio.Task[dict[str, Any]]:
        task = self._calls[url] = asyncio.create_task(self._fetched(url))
        task.add_done_callback(partial(self._ended, url))
        return task

    def _ended(self, url: str, task: asyncio.Task[dict[str, Any]]) -> None:
        self._calls.pop(url, None)
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits for it any longer

    async def _fetched(self, url: str) -> dict[str, Any]:
        try:
            found = await self._fetch(url)
        except JwksUnavailable:
            kept = self._entries.get(url)
            if kept is None or self._now_us() >= kept.until_us:  # what is still good is not given up for a key that nobody knows
                self._keep(url, None, 0)
            raise
        self._keep(url, found.jwks, found.max_age_s)
        return found.jwks

    def _keep(self, url: str, jwks: dict[str, Any] | None, max_age_s: int) -> None:
        now_us = self._now_us()
        self._entries[url] = _Kept(until_us=now_us + max_age_s * 1_000_000, asked_us=now_us, jwks=jwks)
        self._entries.move_to_end(url)
        while len(self._entries) > self._maximum and not next(iter(self._entries.values())).is_recent(now_us):
            self._entries.popitem(last=False)


async def resolve_by_system(host: str, port: int) -> list[str]:
    """The system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@cache
def authorities() -> ssl.SSLContext:
    """Those that httpx brings, read once: 20 ms for each client would be most of what an app costs to make."""
    return httpx.create_ssl_context(trust_env=False)


class Outbound:
    """Calls out, under a policy. Close it with `aclose` or use it as a context.

    tls  which authorities are trusted; by default those that httpx brings
    """

    def __init__(
        self, policy: OutboundPolicy | None = None, *, resolve: Resolve = resolve_by_system, tls: ssl.SSLContext | None = None
    ) -> None:
        self._policy = policy or OutboundPolicy()
        self._resolve = resolve
        # No kept-alive connections: they are pooled by address, and one checked for a name must not serve another.
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            verify=tls or authorities(),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=httpx.Timeout(TIME_LIMIT_S),
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def fetch_jwks(self, url: str) -> FetchedJwks:
        """The JWKS at this registered URL. Raises JwksUnavailable, whatever went wrong."""
        found = await self.fetch_object(url)
        if not isinstance(found.jwks.get("keys"), list):
            raise JwksUnavailable("the JWKS is not an object with keys")
        return found

    async def fetch_object(self, url: str) -> FetchedJwks:
        """Any small JSON object, for instance the discovery document that leads to a JWKS; guarded, bounded and failing in the same way."""
        try:
            async with asyncio.timeout(TIME_LIMIT_S):
                response, body = await self._get(url)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:  # TimeoutError is an OSError
            raise JwksUnavailable(f"the JWKS could not be fetched: {type(error).__name__}") from error
        return FetchedJwks(jwks=_object(body), max_age_s=max_age_s(response.headers))

    async def call(
        self, url: str, *, form: Mapping[str, str] | None = None, token: str | None = None, basic: tuple[str, str] | None = None
    ) -> Heard:
        """Ask a cloud, or another provider: by POST with a form, by GET without. Raises Unreachable, whatever went wrong.

        basic  client_id and secret, as RFC 6749 section 2.3.1 writes them

        The same guard as for key sets: every address is checked, no redirect is followed, size and time are bounded.
        """
        try:
            async with asyncio.timeout(CALL_TIME_LIMIT_S):
                response, body = await self._heard(url, form, _authorization(token, basic))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, JwksUnavailable) as error:
            raise Unreachable(type(error).__name__) from error
        return Heard(status=response.status_code, body=body)

    async def _heard(self, url: str, form: Mapping[str, str] | None, authorization: Mapping[str, str]) -> tuple[httpx.Response, bytes]:
        target = httpx.URL(url)
        _check_form(target, self._policy)
        address = await self._checked_address(target)
        request = self._client.build_request(
            "GET" if form is None else "POST",
            target.copy_with(host=str(address)),
            data=form,
            headers={"Host": target.netloc.decode("ascii"), "Accept": "application/json", "Accept-Encoding": "identity", **authorization},
            extensions={"sni_hostname": target.raw_host.decode("ascii")},
        )
        response = await self._client.send(request, stream=True)
        try:
            return response, await _at_most(response, CALL_MAX_BYTES)
        finally:
            await response.aclose()

    async def _get(self, url: str) -> tuple[httpx.Response, bytes]:
        target = httpx.URL(url)
        _check_form(target, self._policy)
        address = await self._checked_address(target)
        request = self._client.build_request(
            "GET",
            target.copy_with(host=str(address)),
            headers={"Host": target.netloc.decode("ascii"), "Accept": "application/json", "Accept-Encoding": "identity"},
            extensions={"sni_hostname": target.raw_host.decode("ascii")},  # the certificate must bear the registered name
        )
        response = await self._client.send(request, stream=True)
        try:
            return response, await _body(response)
        finally:
            await response.aclose()

    async def _checked_address(self, target: httpx.URL) -> Address:
        """One address, after all of them were found acceptable."""
        port = target.port or (443 if target.scheme == "https" else 80)
        addresses = [ip_address(text.partition("%")[0]) for text in await self._resolve(target.host, port)]
        if not addresses or not all(may_call(address, target.scheme, self._policy) for address in addresses):
            raise JwksUnavailable("the JWKS host has no address, or one that may not be called")
        return addresses[0]


def _authorization(token: str | None, basic: tuple[str, str] | None) -> dict[str, str]:
    if basic is not None:
        pair = ":".join(quote_plus(one) for one in basic)
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def may_call(address: Address, scheme: str, policy: OutboundPolicy) -> bool:
    """May the hub connect to this address? Public ones over https; others only if the policy names them."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return may_call(address.ipv4_mapped, scheme, policy)
    if address.is_loopback:
        return policy.allow_loopback_http
    if scheme != "https":
        return False
    if any(address in network for network in policy.allowed_networks):
        return True
    return address.is_global and not address.is_multicast and not any(address in network for network in EMBEDDING_NETWORKS)


def max_age_s(headers: httpx.Headers) -> int:
    """For how long an answer may be kept (RFC 9111 sections 4.2, 5.2), never above MAX_AGE_MAX_S.

    Without a word in Cache-Control: MAX_AGE_DEFAULT_S. What cannot be read counts as not to be kept.
    """
    directives = [part.strip().lower().partition("=") for part in headers.get("Cache-Control", "").split(",")]
    names = {name for name, _, _ in directives}
    if names & {"no-store", "no-cache"}:
        return 0
    ages = [_seconds(value.strip('"')) for name, _, value in directives if name == "max-age"]
    lifetime = min(ages, default=MAX_AGE_DEFAULT_S) - _seconds(headers.get("Age", "0"), unreadable=MAX_AGE_MAX_S)
    return max(0, min(lifetime, MAX_AGE_MAX_S))


def _seconds(text: str, *, unreadable: int = 0) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else unreadable  # noqa: PLR2004 (2^31 has ten digits)


def _check_form(target: httpx.URL, policy: OutboundPolicy) -> None:
    schemes = {"https", "http"} if policy.allow_loopback_http else {"https"}
    if target.scheme not in schemes or not target.host or target.userinfo or target.fragment:
        raise JwksUnavailable("a JWKS URL is https, with a host, without user or fragment")
    if target.port is not None and not 0 < target.port <= PORT_MAX:
        raise JwksUnavailable("the port of the JWKS URL does not exist")


async def _body(response: httpx.Response) -> bytes:
    """The bytes as they come, up to the limit; a compressed body could be small on the way and large here."""
    if response.status_code != httpx.codes.OK:
        raise JwksUnavailable(f"the JWKS URL answers {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise JwksUnavailable("the JWKS is compressed, which was not asked for")
    return await _at_most(response, BODY_MAX_BYTES)


async def _at_most(response: httpx.Response, limit: int) -> bytes:
    """What comes, unpacked by nobody. Raises JwksUnavailable beyond the limit."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise JwksUnavailable(f"the answer is longer than {limit} bytes")
    return bytes(body)


def _has(jwks: Mapping[str, Any], kid: str) -> bool:
    return any(isinstance(key, dict) and key.get("kid") == kid for key in jwks["keys"])


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise JwksUnavailable("the JWKS is not JSON") from error
    if not isinstance(document, dict):
        raise JwksUnavailable("the JWKS is not an object with keys")
    return document
