"""Signing in with another OpenID provider, from the button to the session. Authorization code flow with PKCE, state and nonce.

What was begun is a sealed note, known by its `state` and bound to the browser by its cookie; it is good once, for ten minutes. The hub
makes no account by itself: who signs in elsewhere has one here already, linked by command or known by an RPPS number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import orjson
import structlog

from hub.errors import FhirError, Throttled
from hub.limits import Limit, sender
from hub.notebook import Notebook, Page
from hub.outbound import Outbound, Unreachable
from hub.people.accounts import Accounts, Filed
from hub.people.addresses import Addresses
from hub.people.discovery import AWAY, Discovery
from hub.people.entering import Entered, Entering, Proof
from hub.people.proving import REFUSED, NotRight, Proving
from hub.recording import Recording
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import Conflict, NoteWrite, Unit
from security.browser_session import SECRET, new_secret
from security.oauth.client import client_assertion
from security.oauth.errors import JwksUnavailable
from security.people.account import Account
from security.people.assurance import ACR_PASSWORD
from security.people.federation import Endpoints, NotProved, Proved, Provider, authorization_url, check_answer, proved

log = structlog.get_logger()

BEGUN: Final = "person-federation"
BEGUN_US: Final = 600_000_000
OVER: Final = "This sign-in was not begun in this browser, or is over; begin again."
OFTEN: Final = "Too many sign-ins were begun from where you are; wait for some minutes, and try again."
OK: Final = 200
PER_SENDER: Final = Limit(what="sign-ins elsewhere", most=300, window_us=600_000_000)
"""A hospital whose shift begins sits behind one address; whoever begins more than that, good or not, is no shift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Federating:
    """For one request. `redirect_uri`: as it is registered at the provider. Methods raise FhirError and Unavailable."""

    entering: Entering
    outbound: Outbound
    discovery: Discovery
    provider: Provider
    redirect_uri: str

    @property
    def services(self) -> Services:
        return self.entering.services

    async def begin(self, cookie: str, next: str, language: str) -> str:
        """Where the browser is sent. Raises Throttled for who has begun too often or has to wait; then nobody is asked."""

        async def attempt() -> str:
            counted = await self._counted()
            endpoints = await self.discovery.endpoints(self.provider)
            notes, state, nonce, verifier = Notebook(self.services, BEGUN), new_secret(), new_secret(), new_secret()
            content = {"provider": self.provider.name, "browser": _bound(cookie), "nonce": nonce, "verifier": verifier, "next": next}
            note = await notes.write(await notes.read(state), content, notes.now_us + BEGUN_US)
            await self._record("sign-in-begun").commit(Unit(notes=(counted, note)), writes=())
            return authorization_url(
                self.provider, endpoints, redirect_uri=self.redirect_uri, state=state, nonce=nonce, verifier=verifier, language=language
            )

        return await redoing(attempt, self._about, self.services.turns)

    async def _counted(self) -> NoteWrite:
        now_us, (_, address) = self.services.clock(), await Addresses(self.services).read(self._address)
        if address.is_locked(now_us):
            raise Throttled(OFTEN, -(-(address.locked_until_us - now_us) // 1_000_000))
        try:
            return await PER_SENDER.taken(self.services, sender(self._address))
        except Throttled as error:
            raise Throttled(OFTEN, error.retry_after_s) from None

    async def finish(self, cookie: str, answer: Mapping[str, str]) -> Entered:
        """The provider has led the browser back. Raises NotRight where its word proves nobody who has an account here."""
        page = await self._used(answer.get("state", ""), cookie)
        if (await Addresses(self.services).read(self._address))[1].is_locked(self.services.clock()):
            await self._refused()  # the provider is not asked either
            raise NotRight
        endpoints = await self.discovery.endpoints(self.provider)
        try:
            check_answer(self.provider, endpoints, answer.get("iss"))
            who = await self._who(endpoints, answer.get("code", ""), page.content)
        except NotProved as error:
            log.warning("not_proved_elsewhere", provider=self.provider.name, why=str(error), request=self.entering.facts.request_id)
            await self._refused()
            raise NotRight from None
        return await self._entered(who, page.content["next"])

    async def _refused(self) -> None:
        """Recorded, and counted where it came from, as a wrong password is."""
        addresses = Addresses(self.services)

        async def attempt() -> None:
            page, address = await addresses.read(self._address)
            await self._record(REFUSED).refused(NotRight(), notes=(await addresses.failed(page, address),))

        await redoing(attempt, self._about, self.services.turns)

    async def _used(self, state: str, cookie: str) -> Page:
        """What was begun, used up now: whatever comes of it, it is good once."""
        notes = Notebook(self.services, BEGUN)
        if SECRET.fullmatch(state) is None:
            raise FhirError("login", OVER)
        page = await notes.read(state)
        if page.content.get("browser") != _bound(cookie) or page.content.get("provider") != self.provider.name:
            raise FhirError("login", OVER)
        try:
            used = await notes.write(page, {}, notes.now_us + BEGUN_US)
            await self._record("sign-in-begun").commit(Unit(notes=(used,)), writes=())
        except Conflict:
            raise FhirError("login", OVER) from None
        self.entering.facts.recorded = False  # what comes of it has a record of its own
        return page

    async def _who(self, endpoints: Endpoints, code: str, begun: Mapping[str, Any]) -> Proved:
        if not code:
            raise NotProved("the provider gave no code")
        tokens = await self._tokens(endpoints, code, begun["verifier"])
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise NotProved("the provider gave no id_token")
        try:
            jwks = (await self.outbound.fetch_jwks(endpoints.jwks)).jwks
        except JwksUnavailable:
            raise FhirError("transient", AWAY) from None
        return proved(
            id_token,
            provider=self.provider,
            jwks=jwks,
            nonce=begun["nonce"],
            access_token=access_token if isinstance(access_token, str) else None,
            now_us=self.services.clock(),
        )

    async def _tokens(self, endpoints: Endpoints, code: str, verifier: str) -> dict[str, Any]:
        """RFC 6749 section 4.1.3, RFC 7636 section 4.5."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "code_verifier": verifier}
        document = await self._asked(endpoints.token, form | self._proof(endpoints.token), basic=self._basic())
        return document if isinstance(document, dict) else {}

    def _proof(self, token_url: str) -> dict[str, str]:
        provider = self.provider
        match provider.authentication:
            case "client_secret_post":
                return {"client_id": provider.client_id, "client_secret": provider.secret or ""}
            case "private_key_jwt":
                made = client_assertion(provider.client_id, provider.key or b"", token_url, now_us=self.services.clock(), jti=new_secret())
                kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                return {"client_id": provider.client_id, "client_assertion_type": kind, "client_assertion": made}
            case "client_secret_basic":
                return {}
            case "none":
                return {"client_id": provider.client_id}

    def _basic(self) -> tuple[str, str] | None:
        provider = self.provider
        return (provider.client_id, provider.secret or "") if provider.authentication == "client_secret_basic" else None

    async def _asked(self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None) -> object:
        try:
            heard = await self.outbound.call(url, form=form, basic=basic)
            document: object = orjson.loads(heard.body)
        except (Unreachable, orjson.JSONDecodeError):
            raise FhirError("transient", AWAY) from None
        if heard.status != OK:
            raise NotProved(f"the provider's token endpoint answers {heard.status}")
        return document

    async def _entered(self, who: Proved, next: str) -> Entered:
        accounts = Accounts(self.services)

        async def find() -> Filed | None:
            return await accounts.by_federated(who.issuer, who.subject) or await self._by_rpps(accounts, who)

        async def check(account: Account | None) -> Account | None:
            return None if account is None else _linked(account, who)

        async def passed(filed: Filed, account: Account) -> Entered:
            return await self.entering.elsewhere(filed, account, self._proof_of(who), next)

        known_as = sha256(f"{who.issuer}\n{who.subject}".encode()).hexdigest()
        return await Proving(services=self.services, facts=self.entering.facts, known_as=known_as, by="elsewhere").proved(
            find, check, passed
        )

    async def _by_rpps(self, accounts: Accounts, who: Proved) -> Filed | None:
        """The practitioner with this number, unless another person of this provider is linked with the account already."""
        if self.provider.match != "rpps" or who.rpps is None:
            return None
        filed = await accounts.by_rpps(who.rpps)
        return None if filed is None or any(issuer == who.issuer for issuer, _ in filed.account.federated) else filed

    def _proof_of(self, who: Proved) -> Proof:
        return Proof(acr=who.acr or ACR_PASSWORD, amr=who.amr, second_factor=bool(self.provider.acr_values), auth_us=who.auth_us)

    @property
    def _address(self) -> str | None:
        return self.entering.facts.address

    def _about(self) -> tuple[str]:
        return (f"elsewhere-from/{sender(self._address)}",)

    def _record(self, kind: str) -> Recording:
        return Recording(kind, None, self.entering.facts, self.services)


def _linked(account: Account, who: Proved) -> Account:
    """From the first time on the account is found by the provider's own name for the person."""
    pair = (who.issuer, who.subject)
    return account if pair in account.federated else replace(account, federated=(*account.federated, pair))


def _bound(cookie: str) -> str:
    return sha256(cookie.encode()).hexdigest()
