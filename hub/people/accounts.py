"""Accounts as sealed notes: one by the account's id, and one by each name it can be found by, which holds the id alone."""

from dataclasses import dataclass

from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import Conflict, NoteWrite
from security.people.account import Account, folded

ACCOUNTS, LOGINS = "person", "person-login"
ACCOUNTS_MAX = 10_000
"""In one listing."""
NOBODY = ""
"""No account has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """An account, and the page it was read from: what is written in its place meets a Conflict if somebody else was faster."""

    account: Account
    page: Page


class Accounts:
    """Reads accounts, and makes the writes that a `Unit` commits together with its record. Raises Unavailable."""

    def __init__(self, services: Services) -> None:
        self._accounts = Notebook(services, ACCOUNTS)
        self._logins = Notebook(services, LOGINS)

    async def find(self, id: str) -> Filed | None:
        page = await self._accounts.read(id)
        return Filed(account=Account.from_document(page.content), page=page) if page.content else None

    async def by_login(self, login: str) -> Filed | None:
        return await self._named_by(folded(login))

    async def by_federated(self, issuer: str, subject: str) -> Filed | None:
        return await self._named_by(_federated(issuer, subject))

    async def by_rpps(self, number: str) -> Filed | None:
        return await self._named_by(_rpps(number))

    async def _named_by(self, name: str) -> Filed | None:
        """An account is read in any case: who asks for somebody must not learn by the time that there is such an account."""
        found = await self._logins.read(name)
        return await self.find(found.content["account"] if found.content else NOBODY)

    async def all(self) -> list[Account]:
        return [Account.from_document(page.content) for page in await self._accounts.all(ACCOUNTS_MAX) if page.content]

    async def added(self, account: Account) -> tuple[NoteWrite, ...]:
        """A new account with all names it is found by. Raises Conflict for a name that is taken, as the commit does of two at once."""
        page = await self._accounts.read(account.id)
        return (await self._accounts.write(page, account.to_document()), *await self._named(account))

    async def changed(self, filed: Filed, account: Account) -> tuple[NoteWrite, ...]:
        """The account in place of what was read. Its login stays; names at other providers may come and go."""
        new = await self._accounts.write(filed.page, account.to_document())
        before, after = set(filed.account.federated), set(account.federated)
        come = [await self._name(_federated(*one), account.id) for one in account.federated if one not in before]
        gone = [await self._unnamed(_federated(*one)) for one in filed.account.federated if one not in after]
        return (new, *come, *gone)

    async def _named(self, account: Account) -> list[NoteWrite]:
        numbers = () if account.rpps is None else (_rpps(account.rpps),)
        names = (account.login, *numbers, *(_federated(*one) for one in account.federated))
        return [await self._name(name, account.id) for name in names]

    async def _name(self, name: str, id: str) -> NoteWrite:
        page = await self._logins.read(name)
        if page.content.get("account") not in {None, id}:
            raise Conflict
        return await self._logins.write(page, {"account": id})

    async def _unnamed(self, name: str) -> NoteWrite:
        """It finds nobody from now on, and the database throws it away; who comes to have it at the same moment meets a Conflict."""
        return await self._logins.write(await self._logins.read(name), {}, self._logins.now_us)


def _rpps(number: str) -> str:
    return f"rpps\n{number}"


def _federated(issuer: str, subject: str) -> str:
    return f"{issuer}\n{subject}"
