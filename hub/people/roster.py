"""Who has an account: added, invited, ended, opened again. For commands and for pages of those who run the hub.

Each act and its record commit together; the record comes from whoever acts.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.errors import FhirError
from hub.people.accounts import Accounts, Filed
from hub.people.ending import Ending, apps_ended
from hub.people.entering import invitation
from hub.people.sessions import all_ended
from hub.recording import Recording, Touched, write_of
from hub.repository.patientless import patientless
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import NoteWrite, Stored, Unit
from security.oauth.person import Role
from security.people.account import Account, folded
from security.people.lockout import opened
from security.people.rpps import RPPS_SYSTEM

FHIR_USERS: Mapping[Role, str] = {"patient": "Patient", "practitioner": "Practitioner"}
"""What an account of this role is in FHIR; the others are nothing there."""
ABSENT = "There is no account with this login; see hub user list."
TAKEN = "There is an account with this login already; see hub user list."
NOT_LINKED = "This account is not linked with this provider; hub user show says with which it is."
CHANGED = "The account is being changed by others; look at it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An account after a change, what else is written with it, and the code of a new invitation.

    over  its sessions, and what it let apps do, end with it
    """

    account: Account
    notes: tuple[NoteWrite, ...] = ()
    code: str = ""
    over: bool = False


class Roster:
    """`record`: makes a record of a kind about an account, in the name of who acts. Methods raise FhirError, Conflict, Unavailable."""

    def __init__(self, services: Services, record: Callable[[str, str], Recording]) -> None:
        self._services, self._record = services, record
        self._accounts = Accounts(services)

    async def add(self, account: Account) -> tuple[Account, str]:
        """A new account, and the code of its invitation. A practitioner who is no resource yet becomes one."""
        await self._check(account)
        made: tuple[Stored, ...] = ()
        if account.person.role == "practitioner" and account.person.fhir_user is None:
            made = (await self._practitioner(account),)
            account = replace(account, person=replace(account.person, fhir_user=made[0].row))
        code, invited, note = await invitation(self._services, account)
        recording = self._record("account-add", account.id)
        for one in made:
            recording.touch(Touched(reference=one.row, version=1, patient=None, patient_reference=None, basis="operator"))
        unit = Unit(inserts=made, notes=(*await self._accounts.added(invited), note))
        await recording.commit(unit, writes=[write_of(one) for one in made])
        return invited, code

    async def invite(self, login: str) -> str:
        """Another link for who has not chosen a password yet; the one before is good no more."""

        async def change(account: Account) -> Change:
            if account.password is not None or account.disabled_us is not None:
                raise FhirError("conflict", "This account has a password already, or was ended; see hub user reset and enable.")
            return await self._invited(account)

        return await self._changed(login, change)

    async def reset(self, login: str) -> str:
        """Password, second factor, failures: all anew, by a new link. What was open is over."""

        async def change(account: Account) -> Change:
            if account.disabled_us is not None:
                raise FhirError("conflict", "This account was ended; see hub user enable.")
            bare = replace(account, password=None, password_changed_us=self._services.clock(), totp=None, totp_step=0, recovery=())
            return replace(await self._invited(opened(bare)), over=True)

        return await self._changed(login, change)

    async def disable(self, login: str) -> None:
        """Its sessions, and what it let apps do, are over on every process with the next request."""

        async def change(account: Account) -> Change:
            ended_us = account.disabled_us or self._services.clock()
            return Change(account=replace(account, disabled_us=ended_us, invitation=None), over=True)

        await self._changed(login, change)

    async def enable(self, login: str) -> None:
        """After it was ended, or after too many wrong proofs."""

        async def change(account: Account) -> Change:
            return Change(account=opened(replace(account, disabled_us=None)))

        await self._changed(login, change)

    async def link(self, login: str, issuer: str, subject: str) -> None:
        """The person with this name at that provider signs in to this account. Raises FhirError if somebody else has that name."""
        other = await self._accounts.by_federated(issuer, subject)
        if other is not None and other.account.login != folded(login):
            raise FhirError("duplicate", "Another account is linked with this person of the provider.")

        async def change(account: Account) -> Change:
            pair = (issuer, subject)
            known = account.federated if pair in account.federated else (*account.federated, pair)
            return Change(account=replace(account, federated=known))

        await self._changed(login, change)

    async def unlink(self, login: str, issuer: str) -> None:
        """No name at that provider opens this account any more. Sessions and what apps were allowed end: whoever came in by it is out.

        Raises FhirError not-found if there is no such link.
        """

        async def change(account: Account) -> Change:
            left = tuple(pair for pair in account.federated if pair[0] != issuer)
            if left == account.federated:
                raise FhirError("not-found", NOT_LINKED)
            return Change(account=replace(account, federated=left), over=True)

        await self._changed(login, change)

    async def find(self, login: str) -> Account:
        return (await self._filed(login)).account

    async def _filed(self, login: str) -> Filed:
        filed = await self._accounts.by_login(login)
        if filed is None:
            raise FhirError("not-found", ABSENT)
        return filed

    async def _changed(self, login: str, change: Callable[[Account], Awaitable[Change]]) -> str:
        async def attempt() -> str:
            filed = await self._filed(login)
            made, recording = await change(filed.account), self._record("account-change", filed.account.id)
            ending = await over(self._services, filed.account.id, recording, basis="operator") if made.over else Ending()
            notes = (*await self._accounts.changed(filed, made.account), *made.notes, *ending.notes)
            await recording.commit(Unit(notes=notes), writes=(), beside=ending.records)
            return made.code

        return await redoing(attempt, lambda: (f"account/{folded(login)}",), self._services.turns, changed=CHANGED)

    async def _invited(self, account: Account) -> Change:
        code, invited, note = await invitation(self._services, account)
        return Change(account=invited, notes=(note,), code=code)

    async def _check(self, account: Account) -> None:
        if await self._accounts.by_login(account.login) is not None:
            raise FhirError("duplicate", TAKEN)
        person = account.person
        if person.role == "patient" and person.fhir_user is None:
            raise FhirError("required", "An account of a patient needs the Patient.")
        for reference in (person.fhir_user, person.organization):
            if reference and await self._services.resolve(*_parts(reference)) is None:
                raise FhirError("not-found", f"{reference.partition('/')[0]} is not stored in this hub; create it first.")

    async def _practitioner(self, account: Account) -> Stored:
        """https://hl7.org/fhir/R4/practitioner.html: who is named in tokens can be read (SMART, `fhirUser`)."""
        services, id = self._services, self._services.new_id()
        content: dict[str, Any] = {"resourceType": "Practitioner", "active": True, "name": [{"text": account.name}]}
        if account.rpps is not None:
            content["identifier"] = [{"system": RPPS_SYSTEM, "value": account.rpps}]
        services.check(content)
        return patientless(services, await services.vault.key(None), f"Practitioner/{id}", 1, content, id, services.clock())


async def over(services: Services, account: str, recording: Recording, *, basis: str) -> Ending:
    """What has to be committed so that no session and no authorization of the account is good any more; as `apps_ended`."""
    ending = await apps_ended(services, account, recording, basis=basis)
    return replace(ending, notes=(*await all_ended(services, account), *ending.notes))


def _parts(reference: str) -> tuple[str, str]:
    type, _, id = reference.partition("/")
    return type, id
