"""From a token to a caller. The only place that makes an AccessContext.

https://www.rfc-editor.org/rfc/rfc6750. Silence means no: no header, another scheme, a token in the URL, an unknown or
revoked client all end in the same 401.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from starlette.requests import Request

from hub.authorizations import Asked, Authorizations
from hub.errors import CHALLENGE, CHALLENGE_INVALID, Unauthenticated
from hub.issuers import Issuers
from hub.repository.standing import is_good, registered
from hub.sender import BEARER, Credential, Senders, credential
from hub.store.oauth import OAuthStore
from security.context import AccessContext, Vouched
from security.oauth.access_token import Acting, InvalidToken, TokenCache, TokenClaims, kid_of, verify_cached
from security.oauth.clients import Client
from security.oauth.issuers import ForeignToken
from security.oauth.person import Person
from security.oauth.signing_keys import SigningKeys
from security.scopes import Scopes


class KeySource(Protocol):
    """The signing keys of this process."""

    @property
    def now(self) -> SigningKeys: ...

    async def knowing(self, kid: str) -> SigningKeys:
        """Those of this moment, asked for again if none has this name."""
        ...


def _nothing() -> None:
    return None


class Authenticator:
    def __init__(
        self,
        clients: OAuthStore,
        authorizations: Authorizations,
        signing_keys: KeySource,
        *,
        senders: Senders,
        issuers: Issuers,
        issuer: str,
        audience: str,
        clock: Callable[[], int],
        changes: Callable[[], int | None],
    ) -> None:
        """`changes`: how many changes of what is decided by are known of at this moment."""
        self._clients = clients
        self._authorizations = authorizations
        self._signing_keys = signing_keys
        self._senders = senders
        self._issuers = issuers
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._changes = changes
        self._cache = TokenCache()
        self._withdrawals = 0

    async def __call__(self, request: Request, request_id: str, meanwhile: Callable[[], None] = _nothing) -> AccessContext:
        """The caller behind a request: its token, and what the token is bound to. Raises Unauthenticated.

        meanwhile  what can be begun as soon as a valid token is there, while its client is looked up
        """
        shown = credential(request.headers.get("authorization"))
        said = await self._said(shown.token)
        meanwhile()
        acting = said.acting if isinstance(said, TokenClaims) else None
        try:
            return await self._admitted(request, request_id, shown, said, acting)
        except Unauthenticated as error:
            error.claimed = error.claimed or said.client_id
            error.who = _vouched_for(said) if acting is None else _recorded(acting.person)
            raise

    async def _admitted(
        self, request: Request, request_id: str, shown: Credential, said: TokenClaims | ForeignToken, acting: Acting | None
    ) -> AccessContext:
        """Is what a valid token says still so?"""
        changes = self._changes()
        asked = None if acting is None else self._authorizations.ask(acting.authorization)
        client = await self._clients.find_client(said.client_id)
        if client is None:
            raise Unauthenticated(challenge=CHALLENGE_INVALID, claimed=said.client_id)
        claims = _as_ours(said, client)
        if not client.is_good(claims.kid, self._clock()) or self._is_ended(claims, client):
            raise Unauthenticated(challenge=CHALLENGE_INVALID, claimed=claims.client_id)
        await self._senders.check(request, shown, claims.cnf, client)
        caller = caller_of(client, claims.scopes, claims.purpose, request_id, changes, token_id=claims.jti)
        if acting is not None and asked is not None:
            return await self._acting(caller, claims, acting, asked)
        vouched = Vouched(issuer=said.issuer, subject=said.subject) if isinstance(said, ForeignToken) else None
        return replace(caller, key_id=claims.kid, vouched=vouched)

    def _is_ended(self, claims: TokenClaims, client: Client) -> bool:
        """Was this very token revoked (RFC 7009)? Of a person's token the authorization knows."""
        return any(jti == claims.jti for jti, _ in client.ended_tokens)

    async def _acting(self, caller: AccessContext, claims: TokenClaims, acting: Acting, asked: Asked) -> AccessContext:
        """What the person allowed is asked for now, so that its end is seen by every process with the next request.

        An account that is disabled ends all that it allowed with it, so nothing more is to be asked.
        """
        held = await self._authorizations.current(asked)
        if held is None or not is_good(held.authorization, claims.client_id, acting.person, claims.jti, self._clock()):
            raise Unauthenticated(challenge=CHALLENGE_INVALID, claimed=claims.client_id)
        return replace(
            in_the_hands_of(acting.person, caller),
            key_id=claims.kid,
            patient=acting.patient,
            words=claims.context,
            authorization=acting.authorization,
            rests_on=held.rests_on,
        )

    async def _said(self, token: str) -> TokenClaims | ForeignToken:
        """A token of ours, or of an issuer that is configured. A key of ours that this process does not know yet is asked for once: another
        process may have begun to sign with it.
        """
        keys = self._signing_keys.now
        try:
            return self._verified(token, keys)
        except InvalidToken:
            kid = kid_of(token)
            if kid is None or keys.knows(kid):
                raise Unauthenticated(challenge=CHALLENGE_INVALID) from None
        try:
            foreign = await self._issuers.token(token)
            return foreign or self._verified(token, await self._signing_keys.knowing(kid))
        except InvalidToken:
            raise Unauthenticated(challenge=CHALLENGE_INVALID) from None

    def _verified(self, token: str, keys: SigningKeys) -> TokenClaims:
        if keys.withdrawals != self._withdrawals:  # what is remembered may be signed with a key that is not good any more
            self._cache.clear()
            self._withdrawals = keys.withdrawals
        return verify_cached(
            self._cache,
            token,
            keys=keys,
            issuer=self._issuer,
            audience=self._audience,
            now_us=self._clock(),
        )


def _recorded(person: Person) -> Mapping[str, str | None]:
    """Of a person who is not let in (any more), for the log."""
    return {
        "person": person.fhir_user,
        "account": person.account,
        "role": person.role,
        "organization": person.organization or None,
    }


def _vouched_for(said: TokenClaims | ForeignToken) -> Mapping[str, str | None]:
    """Which other issuer vouched for a client that is not let in (any more), for the log."""
    return {"issuer": said.issuer, "subject": said.subject} if isinstance(said, ForeignToken) else {}


def _as_ours(said: TokenClaims | ForeignToken, client: Client) -> TokenClaims:
    """Of another issuer: within the registration, and never for a single unit, whose credential is its own key."""
    if isinstance(said, TokenClaims):
        return said
    try:
        claims = said.claims(client.granted, client.purpose)
    except InvalidToken:
        claims = None
    if claims is None or client.unit is not None:
        raise Unauthenticated(challenge=CHALLENGE_INVALID, claimed=client.client_id)
    return claims


def caller_of(
    client: Client, scopes: Scopes, purpose: str, request_id: str, changes: int | None = None, *, token_id: str | None = None
) -> AccessContext:
    """The caller that a registered client is. Without a token only for the operator, who acts in a client's name.

    changes  `Store.changes` from before the client was looked up; None: not known, so it is looked up again before anything is written
    """
    return AccessContext(
        client_id=client.client_id,
        client_name=client.name,
        organization=client.organization,
        scopes=scopes,
        purpose=purpose,
        consent_default=client.consent_default,
        recorder=client.recorder,
        importer=client.importer,
        request_id=request_id,
        token_id=token_id,
        administrator=client.administrator,
        confirmer=client.confirmer,
        requests_per_minute=client.requests_per_minute,
        items_per_minute=client.items_per_minute,
        unit=client.unit,
        signs=client.signs,
        registered=registered(client, changes),
    )


def in_the_hands_of(person: Person, caller: AccessContext) -> AccessContext:
    """The caller that a client is while a person acts through it.

    What the client may do by itself (create patients, bring ids, see how searches run) is not the person's to do.
    """
    own = caller.organization == person.organization
    return replace(
        caller,
        recorder=False,
        importer=False,
        administrator=False,
        confirmer=False,
        person=person,
        organization=person.organization,
        app_organization=caller.organization,
        # The policy of an organisation's own app holds for those who act for that organisation, and for nobody else.
        consent_default=caller.consent_default if own else "opt-in",
    )


def bearer(authorization: str | None) -> str:
    """What follows the scheme Bearer (in any case), for what is no access token. Raises Unauthenticated."""
    found = credential(authorization)
    if found.scheme != BEARER:
        raise Unauthenticated(challenge=CHALLENGE)
    return found.token
