"""Tokens of other issuers at a running hub: their rows from the file of HUB_ISSUERS, their keys over the one outbound client."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from security.oauth.access_token import InvalidToken, kid_of
from security.oauth.errors import JwksUnavailable
from security.oauth.issuers import ForeignToken, Issuer, read_issuers, unverified_issuer, verify
from security.oauth.jwks import Proves

FetchKeys = Callable[[str, str | None, Proves], Awaitable[Mapping[str, Any]]]
"""URL, kid, and whether the token was signed with a key of a set, to the key set; raises JwksUnavailable"""


class BadIssuers(Exception):
    """The file cannot be used. The text is for the operator."""


def issuers_of(path: Path | None, own: str) -> tuple[Issuer, ...]:
    """The rows of this file; none without one. Raises BadIssuers."""
    if path is None:
        return ()
    try:
        return read_issuers(orjson.loads(path.read_bytes()), own)
    except OSError as error:
        raise BadIssuers(f"the file of issuers cannot be read: {error.strerror}") from None
    except ValueError as error:  # what orjson says may repeat the file
        text = "it is not JSON" if isinstance(error, orjson.JSONDecodeError) else str(error)
        raise BadIssuers(f"the file of issuers cannot be used: {text}") from None


class Issuers:
    """`fetch`: `JwksCache.get`, so that keys are kept as long as their server allows and no longer."""

    def __init__(self, issuers: Sequence[Issuer], fetch: FetchKeys, clock: Callable[[], int]) -> None:
        self._known = {one.issuer: one for one in issuers}
        self._fetch = fetch
        self._clock = clock

    async def token(self, token: str) -> ForeignToken | None:
        """A token of one of them; None where it says it comes from nobody we know. Raises InvalidToken."""
        issuer = self._known.get(unverified_issuer(token) or "") if self._known else None
        if issuer is None:
            return None
        try:
            jwks = await self._fetch(issuer.jwks_uri, kid_of(token), partial(self._proves, token, issuer))
        except JwksUnavailable:
            raise InvalidToken from None
        return verify(token, issuer=issuer, jwks=jwks, now_us=self._clock())

    def _proves(self, token: str, issuer: Issuer, jwks: Mapping[str, Any]) -> bool:
        with suppress(InvalidToken):
            verify(token, issuer=issuer, jwks=jwks, now_us=self._clock())
            return True
        return False
