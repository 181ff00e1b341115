"""What people change about how they prove themselves. Before anything of it they prove themselves once more (OWASP ASVS 5.0 7.5.1).

Afterwards the session is a new one, and all others are over: whoever sat in one of them is out.
"""

import os
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from hub.errors import FhirError
from hub.notebook import Notebook
from hub.people import sessions
from hub.people.accounts import Accounts, Filed
from hub.people.ending import Ending, apps_ended
from hub.people.entering import chosen_password
from hub.people.proving import Check, NotRight, Passed, Proving, password_check
from hub.people.sessions import SignedIn, all_ended
from hub.recording import Recording, RequestFacts
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import NoteWrite, Unit
from security.people.account import Account
from security.people.assurance import ACR_SECOND_FACTOR, AMR_SECOND_FACTOR
from security.people.lockout import Means, proved
from security.people.recovery import kept_of, new_codes
from security.people.totp import SECRET_BYTES, new_secret, step_proved

T = TypeVar("T")

ENROLMENTS: Final = "person-enrolment"
ENROLMENT_US: Final = 600_000_000
RECENT_US: Final = 300_000_000
"""Who has no password here has signed in elsewhere within so long."""
GONE = "It took too long; begin again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The session that goes on, and recovery codes that are shown once."""

    signed: SignedIn
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Securing:
    """For one request of a session. Methods raise NotRight for a wrong present password, FhirError, Unavailable."""

    services: Services
    facts: RequestFacts
    signed: SignedIn
    browser: str

    async def password(self, present: str, password: str, *, apps: bool) -> Renewed:
        """Raises PasswordFault too.

        apps  what apps may do ends with it: whoever knew the old password may have let one in, and that goes on without a session
        """
        chosen = await chosen_password(self.services, self.signed.account, password)

        async def passed(filed: Filed, account: Account) -> Renewed:
            new = replace(account, password=chosen, password_changed_us=self.services.clock())
            ending = await apps_ended(self.services, account.id, self._record("account-password")) if apps else Ending()
            return await self._renewed(filed, new, "account-password", ending.notes, beside=ending.records)

        return await self._proved(present, passed)

    async def codes(self, present: str) -> Renewed:
        """New recovery codes in place of those that are left."""

        async def passed(filed: Filed, account: Account) -> Renewed:
            if account.totp is None:
                raise FhirError("conflict", "Recovery codes go with a second factor; set it up first.")
            codes = new_codes(os.urandom)
            renewed = await self._renewed(filed, replace(account, recovery=kept_of(codes)), "second-factor")
            return replace(renewed, codes=tuple(codes))

        return await self._proved(present, passed)

    async def enrol(self, present: str) -> str:
        """The secret that an app is to be given; nothing holds before its code was typed."""

        async def passed(filed: Filed, account: Account) -> str:
            notes, secret = Notebook(self.services, ENROLMENTS), new_secret(os.urandom(SECRET_BYTES))
            written = await notes.write(await notes.read(self.signed.cookie), {"secret": secret}, notes.now_us + ENROLMENT_US)
            changed = await Accounts(self.services).changed(filed, account)
            await self._record("second-factor").commit(Unit(notes=(*changed, written)), writes=())
            return secret

        return await self._proved(present, passed)

    async def enrolling(self) -> str:
        """The secret that is being given to an app. Raises FhirError if that was too long ago."""
        page = await Notebook(self.services, ENROLMENTS).read(self.signed.cookie)
        if not page.content:
            raise FhirError("conflict", GONE)
        return str(page.content["secret"])

    async def enrolled(self, code: str) -> Renewed:
        """The app shows the right code: from now on it is the second factor, in place of any before. Raises NotRight."""

        async def attempt() -> Renewed:
            secret, filed = await self.enrolling(), await self._filed()
            step = step_proved(secret, code, self.services.clock(), 0)
            if step is None:
                raise NotRight
            notes, codes = Notebook(self.services, ENROLMENTS), new_codes(os.urandom)
            used = await notes.write(await notes.read(self.signed.cookie), {}, notes.now_us + ENROLMENT_US)
            account = replace(filed.account, totp=secret, totp_step=step, recovery=kept_of(codes))
            renewed = await self._renewed(filed, account, "second-factor", (used,), second=True)
            return replace(renewed, codes=tuple(codes))

        return await redoing(attempt, self._about, self.services.turns)

    async def end(self, only: str | None = None) -> None:
        """End one other session of one's own, or all others."""

        async def attempt() -> None:
            notes = await all_ended(self.services, self.signed.account.id, but=self.signed, only=only)
            await self._record("account-sessions").commit(Unit(notes=notes), writes=())

        await redoing(attempt, self._about, self.services.turns)

    async def _proved(self, present: str, passed: Passed[T]) -> T:
        proving = Proving(services=self.services, facts=self.facts, known_as=self.signed.account.login, by=self._by)
        return await proving.proved(self._filed, self._check(present), passed)

    @property
    def _by(self) -> Means:
        """Who has no password has signed in elsewhere."""
        return "password" if self.signed.account.password is not None else "elsewhere"

    def _check(self, present: str) -> Check:
        by_password = password_check(self.services, present)

        async def check(account: Account | None) -> Account | None:
            if account is not None and account.password is None:
                return account if self.services.clock() - self.signed.auth_us < RECENT_US else None
            return await by_password(account)

        return check

    async def _filed(self) -> Filed:
        filed = await Accounts(self.services).find(self.signed.account.id)
        if filed is None or filed.account.disabled_us is not None:
            raise FhirError("login", GONE)
        return filed

    async def _renewed(
        self,
        filed: Filed,
        account: Account,
        kind: str,
        more: tuple[NoteWrite, ...] = (),
        *,
        second: bool = False,
        beside: tuple[Recording, ...] = (),
    ) -> Renewed:
        """The account as it is now, and a session of its own in place of all before. `second`: a code of a new second factor was right."""
        known = proved(account, (self._by, "code") if second else (self._by,))
        acr, amr = (ACR_SECOND_FACTOR, AMR_SECOND_FACTOR) if second else (self.signed.acr, self.signed.amr)
        signed, begun = await sessions.begun(self.services, known, acr, amr)
        others = await all_ended(self.services, known.id, but=self.signed)
        own = await sessions.ended(self.services, self.signed)
        changed = await Accounts(self.services).changed(filed, known)
        notes = (*changed, begun, own, *others, *more, await sessions.listed(self.services, signed, self.browser))
        await self._record(kind).commit(Unit(notes=notes), writes=(), beside=beside)
        return Renewed(signed=signed)

    def _record(self, kind: str) -> Recording:
        return Recording(kind, None, self.facts, self.services)

    def _about(self) -> tuple[str]:
        return (f"proof/{self.signed.account.login}",)
