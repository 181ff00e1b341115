"""What a cloud that is polled has to say of itself. Pure; rows, not branches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

Cursor = Mapping[str, Any]
MICROSECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to a cloud. `form`: sent as one, by POST; None: GET."""

    url: str
    form: Mapping[str, str] | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""

    access: str
    refresh: str
    expires_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The hub's own registration at the vendor."""

    client_id: str
    client_secret: str


class CloudRefused(Exception):
    """The cloud did not answer with data. `expired`: the access token is not good (any more)."""

    def __init__(self, why: str, *, expired: bool = False) -> None:
        super().__init__(why)
        self.expired = expired


UNDER_WAY = frozenset({"until", "offset"})
"""Of a cursor: where a question that has several pages is. Whoever takes it up much later begins the question again."""


def _nothing_more(_: str, __: str, ___: bytes, ____: Cursor) -> Sequence[Call]:
    return ()


def _as_it_is(body: bytes, _: Cursor, __: Sequence[bytes]) -> bytes:
    return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One kind of data of a cloud.

    ask         the next question, from address, token, cursor and now
    following   where to go on after this answer, and whether there is more to ask at once; raises CloudRefused
    begin       the cursor of a link that is to be read from this moment on
    details     what is to be asked besides, for the records of an answer
    payload     what the adapter reads, of the answer and those to `details`; raises CloudRefused
    """

    name: str
    adapter: str
    ask: Callable[[str, str, Cursor, int], Call]
    following: Callable[[bytes, Cursor, int], tuple[Cursor, bool]]
    begin: Callable[[int], Cursor]
    details: Callable[[str, str, bytes, Cursor], Sequence[Call]] = _nothing_more
    payload: Callable[[bytes, Cursor, Sequence[bytes]], bytes] = _as_it_is


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How the patient's name at a cloud is learnt where the grant does not say it: a question, from address and token, and what its
    answer says. Raises CloudRefused.
    """

    ask: Callable[[str, str], Call]
    name: Callable[[bytes], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """How a patient grants it in a browser. https://www.rfc-editor.org/rfc/rfc6749#section-4.1

    page        address of the vendor's own page, from the address of its API
    scope       what is asked for
    exchanging  the call that gives tokens for a code, from address, credentials, code, redirect_uri and verifier
    granted     tokens and the patient's name there, if it says one; raises CloudRefused
    account     how that is learnt where it says none
    pkce        the vendor has RFC 7636
    """

    page: Callable[[str], str]
    scope: str
    exchanging: Callable[[str, Credentials, str, str, str], Call]
    granted: Callable[[bytes, int], tuple[Tokens, str | None]]
    account: Account | None = None
    pkce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud(Feed):
    """What every link reads, with what a link may read besides.

    renewing    how new tokens are asked for
    renewed     the tokens of the answer; raises CloudRefused
    consent     how a link is made in a browser
    """

    renewing: Callable[[str, Credentials, Tokens], Call]
    renewed: Callable[[bytes, Tokens, int], Tokens]
    consent: Consent
    further: tuple[Feed, ...] = ()

    def feed(self, name: str) -> Feed:
        """Raises KeyError."""
        return {one.name: one for one in (self, *self.further)}[name]


def object_of(body: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise CloudRefused("the answer is not JSON") from None
    if not isinstance(found, dict):
        raise CloudRefused("the answer is not an object")
    return found


def tokens_of(found: Mapping[str, Any], before: Tokens, now_us: int) -> Tokens:
    access, seconds = found.get("access_token"), found.get("expires_in")
    if not isinstance(access, str) or not isinstance(seconds, int):
        raise CloudRefused("no tokens were given; the patient may have withdrawn what was granted")
    refresh = found.get("refresh_token")
    return Tokens(access=access, refresh=refresh if isinstance(refresh, str) else before.refresh, expires_us=now_us + seconds * MICROSECOND)


def code_form(own: Credentials, code: str, redirect_uri: str, verifier: str) -> dict[str, str]:
    """https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3, https://www.rfc-editor.org/rfc/rfc7636#section-4.5"""
    made = {"grant_type": "authorization_code", "client_id": own.client_id, "client_secret": own.client_secret}
    return {**made, "code": code, "redirect_uri": redirect_uri, **({"code_verifier": verifier} if verifier else {})}


NO_TOKENS = Tokens(access="", refresh="", expires_us=0)


def granted_of(found: Mapping[str, Any], now_us: int) -> Tokens:
    """Tokens with which the grant can be kept up. Raises CloudRefused."""
    tokens = tokens_of(found, NO_TOKENS, now_us)
    if not tokens.refresh:
        raise CloudRefused("no refresh token was given")
    return tokens
