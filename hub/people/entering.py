"""The ways in: password, second factor, invitation. Each ends in a session, or in the step that is still to be taken."""

import os
from dataclasses import dataclass, replace
from hashlib import sha256

from hub.errors import FhirError
from hub.hashing import Busy
from hub.notebook import Notebook
from hub.outcomes import unavailable
from hub.people import sessions, steps
from hub.people.accounts import Accounts, Filed
from hub.people.proving import NotRight, Proving, password_check
from hub.people.sessions import SignedIn
from hub.people.steps import Step, step_of
from hub.recording import Recording, RequestFacts
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import NoteWrite, Unit
from security.browser_session import SECRET, new_secret
from security.people.account import Account, folded
from security.people.assurance import ACR_PASSWORD, ACR_SECOND_FACTOR, AMR_ELSEWHERE, AMR_PASSWORD, AMR_SECOND_FACTOR
from security.people.lockout import Means, proved
from security.people.password_rules import Fault, fault_of
from security.people.passwords import SALT_BYTES
from security.people.recovery import kept_of, left_after, new_codes
from security.people.totp import step_proved

INVITATIONS = "person-invitation"
INVITATION_US = 72 * 3_600_000_000
OVER = "This link is not good, or not any more; ask for another one."
STEP_OVER = "It took too long, or your account was changed meanwhile; sign in again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """One of the two. `step`: the cookie of the step to the second factor; `codes`: new recovery codes, to be shown once."""

    next: str
    signed: SignedIn | None = None
    step: str | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How somebody proved who they are, as the session says it. `auth_us`: when, if that was before."""

    acr: str
    amr: tuple[str, ...]
    second_factor: bool
    auth_us: int | None = None


ONE_FACTOR = Proof(acr=ACR_PASSWORD, amr=AMR_PASSWORD, second_factor=False)
TWO_FACTORS = Proof(acr=ACR_SECOND_FACTOR, amr=AMR_SECOND_FACTOR, second_factor=True)
TWO_WITH_ELSEWHERE = Proof(acr=ACR_SECOND_FACTOR, amr=AMR_ELSEWHERE, second_factor=True)


class PasswordFault(FhirError):
    """Not a password that may be chosen; pages say `fault` in the person's language."""

    def __init__(self, fault: Fault) -> None:
        super().__init__("invalid", f"This password cannot be taken: {fault}.")
        self.fault: Fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """For one request. `before`: the session that the browser had; it ends when another begins."""

    services: Services
    facts: RequestFacts
    browser: str
    before: SignedIn | None = None

    async def by_password(self, login: str, password: str, next: str) -> Entered:
        """Raises NotRight."""
        accounts = Accounts(self.services)

        async def passed(filed: Filed, account: Account) -> Entered:
            return await self._go_on(filed, account, next, "password")

        proving = Proving(services=self.services, facts=self.facts, known_as=folded(login), by="password")
        return await proving.proved(lambda: accounts.by_login(login), password_check(self.services, password), passed)

    async def by_code(self, cookie: str | None, code: str) -> Entered:
        """By a code of the app, or a recovery code. Raises NotRight; FhirError login if the step is over."""
        step = await self._step(cookie)

        async def find() -> Filed | None:
            found = await step_of(self.services, cookie)
            return found.filed if found else None

        async def check(account: Account | None) -> Account | None:
            return code_check(account, code, self.services.clock()) if account else None

        async def passed(filed: Filed, account: Account) -> Entered:
            ended = await steps.ended(self.services, await self._step(cookie))
            return await self._session(filed, account, step.next, (step.by, "code"), (ended,))

        proving = Proving(services=self.services, facts=self.facts, known_as=step.filed.account.login, by="code")
        return await proving.proved(find, check, passed)

    async def elsewhere(self, filed: Filed, account: Account, proof: Proof, next: str) -> Entered:
        """Another provider has proved the person; where its word is one factor alone, what is asked here comes on top."""
        if proof.second_factor or (account.totp is None and not account.sees_others):
            return await self._session(filed, account, next, ("elsewhere",), proof=proof)
        return await self._go_on(filed, account, next, "elsewhere")

    async def enrolled(self, cookie: str | None, code: str) -> Entered:
        """The app shows the code of the secret it was given: it is the account's from now on. Raises NotRight."""

        async def attempt() -> Entered:
            step = await self._step(cookie)
            account = step.filed.account
            self.facts.user = account.id
            used = step_proved(step.secret, code, self.services.clock(), 0) if step.secret else None
            if used is None:
                raise NotRight
            codes = new_codes(os.urandom)
            account = replace(account, totp=step.secret, totp_step=used, recovery=kept_of(codes))
            ended = await steps.ended(self.services, step)
            entered = await self._session(step.filed, account, step.next, (step.by, "code"), (ended,), kind="second-factor")
            return replace(entered, codes=tuple(codes))

        return await redoing(attempt, lambda: (f"step/{cookie}",), self.services.turns)

    async def invited(self, code: str) -> Filed:
        """Whom the link is for, if it is still good. Raises FhirError login."""
        content = {}
        if SECRET.fullmatch(code):
            content = (await Notebook(self.services, INVITATIONS).read(code)).content
        filed = await Accounts(self.services).find(content["account"]) if content else None
        if filed is None or filed.account.disabled_us is not None or filed.account.invitation != hash_of(code):
            raise FhirError("login", OVER)
        return filed

    async def by_invitation(self, code: str, password: str, next: str) -> Entered:
        """The password that the person chose. The link is used up. Raises PasswordFault; FhirError login."""
        account = (await self.invited(code)).account
        chosen = await chosen_password(self.services, account, password)

        async def attempt() -> Entered:
            filed = await self.invited(code)
            self.facts.user = filed.account.id
            now_us = self.services.clock()
            new = replace(filed.account, password=chosen, password_changed_us=now_us, invitation=None)
            return await self._go_on(filed, proved(new, {"password"}), next, "password", kind="account-password")

        return await redoing(attempt, lambda: (f"invitation/{account.id}",), self.services.turns)

    async def _step(self, cookie: str | None) -> Step:
        step = await step_of(self.services, cookie)
        if step is None:
            raise FhirError("login", STEP_OVER)
        return step

    async def _go_on(self, filed: Filed, account: Account, next: str, by: Means, *, kind: str | None = None) -> Entered:
        """A session at once for who has no second factor and needs none."""
        if account.totp is None and not account.sees_others:
            return await self._session(filed, account, next, (by,), kind=kind or "sign-in")
        cookie, step = await steps.begun(self.services, account, next, by)
        await self._commit(kind or "sign-in-begun", (*await Accounts(self.services).changed(filed, account), step))
        return Entered(next=next, step=cookie)

    async def _session(
        self,
        filed: Filed,
        account: Account,
        next: str,
        by: tuple[Means, ...],
        more: tuple[NoteWrite, ...] = (),
        *,
        kind: str = "sign-in",
        proof: Proof | None = None,
    ) -> Entered:
        known = proved(account, by)
        second = TWO_FACTORS if "password" in by else TWO_WITH_ELSEWHERE
        how = proof or (second if known.totp else ONE_FACTOR)
        signed, session = await sessions.begun(self.services, known, how.acr, how.amr, auth_us=how.auth_us)
        old = (await sessions.ended(self.services, self.before),) if self.before is not None else ()
        notes = (*await Accounts(self.services).changed(filed, known), session, *more, *old)
        await self._commit(kind, (*notes, await sessions.listed(self.services, signed, self.browser)))
        return Entered(next=next, signed=signed)

    async def _commit(self, kind: str, notes: tuple[NoteWrite, ...]) -> None:
        await Recording(kind, None, self.facts, self.services).commit(Unit(notes=notes), writes=())


def code_check(account: Account, code: str, now_us: int) -> Account | None:
    """Is it a code of the account's app, or one of its recovery codes? The account without what was used up."""
    step = step_proved(account.totp, code, now_us, account.totp_step) if account.totp else None
    if step is not None:
        return replace(account, totp_step=step)
    left = left_after(account.recovery, code) if account.totp else None
    return None if left is None else replace(account, recovery=left)


async def chosen_password(services: Services, account: Account, password: str) -> str:
    """Hashed, if it may be chosen for this account. Raises PasswordFault; FhirError transient if too many are hashed already."""
    second = account.sees_others or account.totp is not None
    if fault := fault_of(password, account.login, second_factor=second):
        raise PasswordFault(fault)
    try:
        return await services.hashing.hashed(password, os.urandom(SALT_BYTES))
    except Busy:
        raise unavailable() from None


async def invitation(services: Services, account: Account) -> tuple[str, Account, NoteWrite]:
    """A new code, the account that knows it in place of any before, and what has to be committed besides."""
    notes, code = Notebook(services, INVITATIONS), new_secret()
    written = await notes.write(await notes.read(code), {"account": account.id}, notes.now_us + INVITATION_US)
    return code, replace(account, invitation=hash_of(code)), written


def hash_of(code: str) -> str:
    """A code has 256 bits: no salt, no costly function."""
    return sha256(code.encode()).hexdigest()
