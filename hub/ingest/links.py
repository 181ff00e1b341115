"""Links: what a patient granted at a vendor's cloud, and how far it has been read. Sealed under the patient's key."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from hub.errors import FhirError
from hub.ingest.clouds import CLOUDS, Cloud, Feed, Tokens
from hub.ingest.clouds.feed import UNDER_WAY
from hub.notebook import Notebook, Page
from hub.services import Services
from hub.store.protocol import NoteWrite

KIND = "link"
LINKS_MAX = 100_000
TAKEN = "This account is linked for another patient; end that link first (hub poll unlink)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """user      the patient's name at the cloud, for pings
    patient      "Patient/id"; client: in whose name it is read
    device       the unit, where the cloud does not say it
    further      what is read besides, with how far that has been read
    renewing_us  until when somebody is asking for new tokens
    due_us       when it is read next; `failures` in a row lengthen the wait
    why          what the last failure was, until a turn goes well
    """

    cloud: str
    user: str
    client: str
    patient: str
    tokens: Tokens
    cursor: Mapping[str, Any] = field(default_factory=dict)
    device: str | None = None
    due_us: int = 0
    failures: int = 0
    ended: bool = False
    further: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    renewing_us: int = 0
    why: str | None = None

    @property
    def fault(self) -> str | None:
        """Why it is not read at all: it names something that this hub has no word for, as after going back to an older one."""
        row = CLOUDS.get(self.cloud)
        if row is None:
            return f"there is no cloud {self.cloud}"
        unknown = sorted(self.further.keys() - {feed.name for feed in row.further})
        return f"there is no feed {unknown[0]} of {self.cloud}" if unknown else None

    @property
    def name(self) -> str:
        return f"{self.client}\n{self.cloud}\n{self.user}"

    @property
    def row(self) -> Cloud:
        return CLOUDS[self.cloud]

    @property
    def feeds(self) -> list[Feed]:
        """What is read, in order."""
        return [self.row, *(self.row.feed(name) for name in self.further)]

    def left_off(self, feed: Feed) -> Mapping[str, Any] | None:
        """From where a feed goes on when it is linked again; None if it was not read."""
        cursor = self.cursor if feed.name == self.cloud else self.further.get(feed.name)
        return None if not cursor else {name: value for name, value in cursor.items() if name not in UNDER_WAY}

    def cursor_of(self, feed: Feed) -> Mapping[str, Any]:
        return self.further.get(feed.name, self.cursor)

    def moved(self, feed: Feed, cursor: Mapping[str, Any]) -> "Link":
        if feed.name in self.further:
            return replace(self, further={**self.further, feed.name: cursor})
        return replace(self, cursor=cursor)


class Links:
    """The registry."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._notebook = Notebook(services, KIND)

    async def all(self) -> list[tuple[Page, Link]]:
        """Every link that was not ended, of patients who are still there."""
        found = [(page, _link(page)) for page in await self._notebook.all(LINKS_MAX) if page.content]
        return [(page, link) for page, link in found if not link.ended]

    async def place(self, link: Link) -> Page:
        """Where a new link is to be written. Raises FhirError duplicate where that account is still read for another patient."""
        try:
            page = await self.page(link)
        except KeyError:  # erased: whose it was is gone
            return await self._notebook.blank(link.name, self.patient(link))
        if page.content and not (there := _link(page)).ended and there.patient != link.patient:
            raise FhirError("duplicate", TAKEN)
        return page

    async def begun(self, link: Link, feeds: Sequence[str], since_us: int | None, otherwise_us: int) -> tuple[Page, Link]:
        """Where a new link is to be written, and the link with its cursors; `feeds`: what is read besides.

        From `since_us` on. Without it each feed goes on where the last link of this patient, account and client left off, so that what
        was measured while there was none is not lost; what was not read before begins at `otherwise_us`.
        Raises FhirError duplicate where that account is still read for another patient.
        """
        page = await self.place(link)
        before = _link(page) if page.content else None

        def cursor(feed: Feed) -> Mapping[str, Any]:
            left = None if before is None or before.patient != link.patient or since_us is not None else before.left_off(feed)
            return feed.begin(otherwise_us if since_us is None else since_us) if left is None else left

        return page, replace(link, cursor=cursor(link.row), further={name: cursor(link.row.feed(name)) for name in feeds})

    async def page(self, link: Link) -> Page:
        """Where it is written, or is to be."""
        return await self._notebook.read(link.name, self.patient(link))

    async def read(self, key_of: Link) -> tuple[Page, Link]:
        page = await self.page(key_of)
        return page, _link(page)

    def patient(self, link: Link) -> bytes:
        return self._services.blind.patient(link.patient.removeprefix("Patient/"))

    async def write(self, page: Page, link: Link) -> NoteWrite:
        """Under the key of the patient whose link it is, whoever's lay there before."""
        return await self._notebook.write(replace(page, patient=self.patient(link)), asdict(link))


_FIELDS = frozenset(one.name for one in fields(Link))


def _link(page: Page) -> Link:
    """What a newer hub wrote besides is left alone."""
    return Link(**{name: value for name, value in page.content.items() if name in _FIELDS} | {"tokens": Tokens(**page.content["tokens"])})
