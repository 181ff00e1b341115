"""What a code and a refresh token have in common when they are redeemed: whose they are must still hold, and each is good once.

OWASP ASVS 5.0 10.4.2 and 10.4.5, https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

from collections.abc import Mapping
from typing import Any, Final

from hub.authorizations import Authorizations, Held
from hub.notebook import Notebook
from hub.oauth.answers import Asking
from hub.people.accounts import Accounts
from hub.people.sessions import SESSIONS
from hub.store.protocol import NoteWrite, Unit
from security.browser_session import new_secret
from security.oauth.authorization import Authorization
from security.oauth.authorization_request import GOING_ON
from security.oauth.client_authentication import ProvedClient
from security.oauth.clients import GRANT_REFRESH
from security.oauth.code import RefreshToken
from security.oauth.errors import OAuthError
from security.oauth.person_token import issue
from security.oauth.scope_request import ScopeRequest

REFRESH: Final = "oauth-refresh"


def check_key(bound: str | None, proved: str | None) -> None:
    """RFC 9449 sections 5 and 10: what is bound to a DPoP key comes with a proof of that key. Raises OAuthError."""
    if bound is not None and bound != proved:
        raise OAuthError("invalid_dpop_proof" if proved is None else "invalid_grant", "this grant is bound to another DPoP key")


async def still_held(asking: Asking, id: str, text: str) -> Held:
    """What the person allowed, if it holds at this moment. Raises OAuthError invalid_grant with `text`.

    It ends with the account, with a change of what the person is to the hub, and, where it is online access, with the session.
    """
    held = await Authorizations(asking.services).find(id)
    if held is None or not held.authorization.holds(asking.now_us):
        raise OAuthError("invalid_grant", text)
    authorization = held.authorization
    filed = await Accounts(asking.services).find(authorization.person.account)
    if filed is None or filed.account.disabled_us is not None or filed.account.person != authorization.person:
        raise OAuthError("invalid_grant", text)
    if authorization.session is not None and not await _is_open(asking, authorization.session):
        raise OAuthError("invalid_grant", text)
    asking.facts.user = authorization.person.account
    return held


async def _is_open(asking: Asking, session: str) -> bool:
    return bool((await Notebook(asking.services, SESSIONS).at(bytes.fromhex(session))).content)


async def ended_for_reuse(asking: Asking, id: str, text: str) -> None:
    """A code or a refresh token came a second time: one of the two who had it is not the app. Raises OAuthError, once all of it is over."""
    authorizations = Authorizations(asking.services)
    held = await authorizations.find(id)
    if held is not None and held.authorization.ended_us is None:
        asking.recording.becomes("token-reused")
        asking.facts.user = held.authorization.person.account
        aim(asking, held.authorization)
        await asking.recording.commit(Unit(notes=(await authorizations.ended(held),)), writes=())
    raise OAuthError("invalid_grant", text)


async def given(
    asking: Asking,
    proved: ProvedClient,
    held: Held,
    authorization: Authorization,
    scope: ScopeRequest,
    cnf: Mapping[str, str],
    notes: tuple[NoteWrite, ...],
    *,
    first: bool,
) -> Mapping[str, Any]:
    """The answer, once what was used up, what comes in its place and the record are durable. Raises Conflict if somebody was faster.

    held           what the person allowed, as it was read
    authorization  as it is from now on; written if that is something else, or if this is its first token of the day
    """
    _check_queries(asking, scope)
    made = issue(proved, authorization, scope, dependencies=asking.dependencies, cnf=cnf, first=first)
    body = dict(made.body)
    if not GOING_ON.isdisjoint(ScopeRequest.parse(authorization.scope).context) and GRANT_REFRESH in proved.client.grants:
        body["refresh_token"], note = await _next(asking, authorization)
        notes = (*notes, note)
    new = authorization.used(asking.now_us)
    if new != held.authorization:
        notes = (*notes, await Authorizations(asking.services).changed(held, new))
    asking.recording.becomes("token-issued" if first else "token-refreshed")
    asking.recording.says(token_id=made.jti, purpose=authorization.purpose)
    aim(asking, authorization)
    await asking.recording.commit(Unit(notes=notes), writes=())
    return body


def _check_queries(asking: Asking, scope: ScopeRequest) -> None:
    """A device and a refresh name scopes too. SMART: better no token than one whose query would be left out. Raises OAuthError."""
    try:
        for one in scope.resources.items:
            if one.query:
                asking.dependencies.check_scope_query(one.resource_type, one.query)
    except ValueError:
        raise OAuthError("invalid_scope", "a scope query cannot be enforced on its resource type") from None


async def _next(asking: Asking, authorization: Authorization) -> tuple[str, NoteWrite]:
    """Remembered for as long as anything of the authorization is good, used or not, so that a second use is noticed."""
    tokens, secret = Notebook(asking.services, REFRESH), new_secret()
    new = RefreshToken(authorization=authorization.id, client_id=authorization.client_id)
    return secret, await tokens.write(await tokens.read(secret), new.to_document(), authorization.expires_us)


def aim(asking: Asking, authorization: Authorization) -> None:
    """The patient in context finds it in the own report."""
    if authorization.launch.patient is not None:
        asking.recording.aim_patient(asking.services.blind.patient(authorization.launch.patient))
