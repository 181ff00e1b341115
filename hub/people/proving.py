"""A proof is looked at, and what is wrong is counted, in one transaction with the record.

Nobody is told why it was not right: there is no such account, the proof was wrong, it was right but the account or the address has to
wait, or the account was ended. The work is the same, and so is the answer (OWASP ASVS 5.0 6.3.8); only for an address that has to wait it
is less, whatever it asks about.

An account is written with each proof, right or wrong, in place of what was read: of many that are tried at once, on whichever process,
each meets those before it, and a right one that comes after too many wrong ones finds the account locked.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from hub.errors import FhirError
from hub.hashing import Busy
from hub.notebook import Notebook
from hub.outcomes import unavailable
from hub.people.accounts import Accounts, Filed
from hub.people.addresses import Addresses, name_of
from hub.recording import Recording, RequestFacts
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import NoteWrite
from security.people.account import Account
from security.people.lockout import Means, failed, is_locked

T = TypeVar("T")

NOT_RIGHT = "This is not right, or it was tried too often; look at it again, or wait for a while."
REFUSED: Final = "sign-in-refused"
STRANGERS, STRANGER_US = "person-stranger", 60_000_000
"""Written where there is no account, so that as much is written as for one."""

Find = Callable[[], Awaitable[Filed | None]]
Check = Callable[[Account | None], Awaitable[Account | None]]
"""The account as the proof leaves it; None if it is wrong, or there is no account."""
Passed = Callable[[Filed, Account], Awaitable[T]]


class NotRight(FhirError):
    """The one answer to a proof that does not open anything."""

    def __init__(self) -> None:
        super().__init__("login", NOT_RIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """For one request.

    known_as  what attempts take turns by in this process, for instance the login
    by        what is proved with: a wait holds for some proofs and not for others
    """

    services: Services
    facts: RequestFacts
    known_as: str
    by: Means

    async def proved(self, find: Find, check: Check, passed: Passed[T]) -> T:
        """What `passed` makes of a good proof; it commits, and may meet a Conflict. Raises NotRight, FhirError, Unavailable."""

        async def attempt() -> T:
            return await self._attempt(find, check, passed)

        try:
            return await redoing(attempt, self._about, self.services.turns)
        except Busy:
            raise unavailable() from None

    def _about(self) -> tuple[str, str]:
        return f"proof/{self.known_as}", f"proof-from/{name_of(self.facts.address)}"

    async def _attempt(self, find: Find, check: Check, passed: Passed[T]) -> T:
        accounts, addresses = Accounts(self.services), Addresses(self.services)
        page, address = await addresses.read(self.facts.address)
        filed = await find()
        if filed is None:  # one is looked up in vain, so that a login that nobody has costs as many questions
            await accounts.find(self.services.new_id())
        now_us = self.services.clock()
        # From an address that has to wait nothing is right, whoever it is about: it does not get the hub to hash for nothing either.
        after = None if address.is_locked(now_us) else await check(filed.account if filed else None)
        if filed is not None:
            self.facts.user = filed.account.id
            if after is not None and self._is_open(filed.account, now_us):
                return await passed(filed, after)
        notes = (*await self._counted(accounts, filed, now_us), await addresses.failed(page, address))
        error = NotRight()
        await Recording(REFUSED, None, self.facts, self.services).refused(error, notes=notes)
        raise error

    async def _counted(self, accounts: Accounts, filed: Filed | None, now_us: int) -> tuple[NoteWrite, ...]:
        if filed is not None:
            return await accounts.changed(filed, failed(filed.account, self.by, now_us))
        strangers = Notebook(self.services, STRANGERS)
        return (await strangers.write(await strangers.read(self.known_as), {"at_us": now_us}, now_us + STRANGER_US),)

    def _is_open(self, account: Account, now_us: int) -> bool:
        return account.disabled_us is None and not is_locked(account, self.by, now_us)


def password_check(services: Services, password: str) -> Check:
    """Is it the account's password? Asked again for the same hash it remembers."""
    known: dict[str | None, bool] = {}

    async def check(account: Account | None) -> Account | None:
        stored = account.password if account else None
        if stored not in known:
            known[stored] = await services.hashing.matches(stored, password)
        return account if known[stored] else None

    return check
