"""Links: what a patient granted at a vendor's cloud, and how far it has been read. Sealed under the patient's key."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hub.errors import FhirError
from hub.ingest.clouds import CLOUDS, Cloud, Feed, Tokens
from hub.ingest.notebook import Notebook, Page
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


def _link(page: Page) -> Link:
    return Link(**{**page.content, "tokens": Tokens(**page.content["tokens"])})
