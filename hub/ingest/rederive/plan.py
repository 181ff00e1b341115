"""A plan: all rows of an adapter derived anew on paper. A file that says which rows would change, and binds itself to what it saw.

It holds no value: of each row its name and version, and keyed digests of what stands there and of what would come. A seal under the index
key makes an edited plan, or one of another hub, no plan.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import orjson

from fhir_profiles.building import BUILDERS
from hub.ingest.recordings import PARTS
from hub.ingest.rederive.derive import Asked, Deriver
from hub.ingest.rederive.derived import Derived, Left, chained
from hub.ingest.replay import Advance, no_progress
from hub.ingest.sender import Senders
from hub.instants import fhir_instant
from hub.recording import Recording, RequestFacts, Touched
from hub.services import Services
from hub.store.protocol import Stored
from hub.store.raws import RawAsked
from security.envelope import fingerprint

FORMAT: Final = "hds-hub-rederivation/2"
PAGE_ROWS: Final = 200
TYPES: Final = tuple(type for type in BUILDERS if type not in PARTS[1:])
"""Types of readings. The document and the content of a recording go with its Observation."""
PLAN: Final = "rederive-plan"


class BadPlan(Exception):
    """The file is no plan of this hub, or has been changed; says what to do."""


class Row(NamedTuple):
    """A row that would change. `before`, `after`: keyed digests, the latter empty where nothing comes."""

    row: str
    version: int
    kind: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which rows are looked at: stored in [since, until), microseconds since 1970 UTC, of one patient or of all ("Patient/id")."""

    since_us: int = 0
    until_us: int
    patient: str | None = None


@dataclass(slots=True, kw_only=True)
class Plan:
    """What was seen and what would be done.

    left     rows that are neither shown nor touched, by why
    chained  rows that would take each other's place: shown, and left as they are
    """

    adapter: str
    mapping_version: str
    read_by: str | None
    client: str | None
    time_zone: str | None
    made: str
    kinds: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    rows: list[Row] = field(default_factory=list)
    chained: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Counts, and the names of what is chained."""
        return {
            "adapter": self.adapter,
            "mappingVersion": self.mapping_version,
            "readBy": self.read_by,
            "made": self.made,
            "kinds": dict(sorted(self.kinds.items())),
            "left": dict(sorted(self.left.items())),
            "chained": self.chained,
        }

    def to_bytes(self, services: Services) -> bytes:
        body = {
            **self.summary(),
            "format": FORMAT,
            "client": self.client,
            "timeZone": self.time_zone,
            "rows": [list(one) for one in self.rows],
        }
        return orjson.dumps({**body, "seal": _seal(services, body)}, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_bytes(cls, plain: bytes, services: Services) -> "Plan":
        """Raises BadPlan."""
        try:
            body = orjson.loads(plain)
            seal = body.pop("seal")
        except (orjson.JSONDecodeError, KeyError, AttributeError, TypeError):
            raise BadPlan("the file is not a plan; hub rederive plan writes one") from None
        if body.get("format") != FORMAT or seal != _seal(services, body):
            raise BadPlan("the plan was changed, or made by another hub; make it anew with hub rederive plan")
        return cls(
            adapter=body["adapter"],
            mapping_version=body["mappingVersion"],
            read_by=body["readBy"],
            client=body["client"],
            time_zone=body["timeZone"],
            made=body["made"],
            kinds=Counter(body["kinds"]),
            left=Counter(body["left"]),
            rows=[Row(*one) for one in body["rows"]],
            chained=body["chained"],
        )

    def leave(self, chained: AbstractSet[str]) -> None:
        """Rows that would take each other's place are counted and named, and not done: whichever went first would hide another."""
        left = [one for one in self.rows if one.row in chained]
        self.kinds = self.kinds - Counter(one.kind for one in left) + Counter("chained" for _ in left)
        self.rows, self.chained = [one for one in self.rows if one.row not in chained], sorted(one.row for one in left)


def digest(services: Services, what: str) -> str:
    return services.blind.once("rederive", what).hex()


def before_of(services: Services, stored: Stored) -> str:
    """Of the row as it lies there: another ciphertext is another row."""
    return digest(services, f"before\n{stored.row}\n{stored.version}\n{fingerprint(stored.sealed).hex()}")


def after_of(services: Services, derived: Derived) -> str:
    """Of what would come, without what changes with every version."""
    return digest(services, f"after\n{derived.after.decode()}") if derived.parts else ""


def as_row(services: Services, derived: Derived) -> Row:
    one = derived.stored
    return Row(one.row, one.version, derived.kind, before_of(services, one), after_of(services, derived))


class Planner:
    def __init__(self, services: Services, senders: Senders, asked: Asked, window: Window) -> None:
        self._services, self._asked, self._window = services, asked, window
        self._senders, self._deriver = senders, Deriver(services, senders, asked, PLAN)
        named = window.patient
        self._patient = None if named is None else services.blind.patient(named.removeprefix("Patient/"))
        self._opened: set[bytes] = set()
        """Patients of whom it is on record that this plan opened what is theirs."""
        self._begun = False

    def _asks(self) -> list[RawAsked]:
        window = self._window
        return [RawAsked(type=type, since_us=window.since_us, until_us=window.until_us, patient=self._patient) for type in TYPES]

    async def _begin(self) -> None:
        """On record before anything is counted: that nothing of a patient changed, or is permitted, is an answer too (law 2)."""
        if not self._begun:
            await self._record(() if self._patient is None else (self._patient,))
            self._begun = True

    async def _opens(self, page: Sequence[Stored]) -> None:
        """On record under each patient before the page is opened, once in a plan."""
        if new := sorted({one.patient for one in page if one.patient is not None} - self._opened):
            await self._record(new)

    async def _record(self, patients: Sequence[bytes]) -> None:
        senders, services, asked, window = self._senders, self._services, self._asked, self._window
        said = [("adapter", asked.adapter.manifest.name), ("version", asked.mapping_version or "")]
        said += [("since", fhir_instant(window.since_us)), ("until", fhir_instant(window.until_us))]
        facts = RequestFacts(request_id=services.new_id(), interaction=PLAN, user=senders.user, reason=senders.reason)
        facts.path, facts.query = "/rederive", urlencode([(name, one) for name, one in said if one])
        async with Recording(PLAN, None, facts, services) as recording:
            for patient in patients:
                recording.aim_patient(patient)
        self._opened.update(patients)

    async def total(self) -> int:
        """How many rows will be opened, of whichever adapter."""
        await self._begin()
        return sum([await self._services.store.raws.count(asked) for asked in self._asks()])

    async def run(self, show: Callable[[Derived], None], advance: Advance = no_progress) -> Plan:
        """Read everything, page by page. What is shown of a page is on record before it is (law 2)."""
        await self._begin()
        asked = self._asked
        plan = Plan(
            adapter=asked.adapter.manifest.name,
            mapping_version=asked.adapter.manifest.version,
            read_by=asked.mapping_version,
            client=asked.client,
            time_zone=asked.time_zone,
            made=fhir_instant(self._services.clock()),
        )
        becomes: dict[str, str | None] = {}
        for raws in self._asks():
            after: tuple[int, str] | None = None
            while page := await self._services.store.raws.page(raws, after, PAGE_ROWS):
                after = (page[-1].updated_us, page[-1].row)
                await self._opens(page)
                for derived in await self._shown(await self._page(page, plan, becomes)):
                    show(derived)
                advance(len(page))
        plan.leave(chained(becomes))
        return plan

    async def _page(self, page: Sequence[Stored], plan: Plan, becomes: dict[str, str | None]) -> list[Derived]:
        """Rows that would change. `becomes` gets them, and those that have to be left."""
        keys = await self._services.vault.keys(sorted({one.patient for one in page if one.patient is not None}))
        self._deriver.forget()
        self._deriver.know(keys)
        changed = []
        for one in page:
            found: Derived | Left | None = await self._deriver.derive(one, keys.get(one.patient))
            if isinstance(found, Derived):
                plan.kinds[found.kind] += 1
                if found.kind != "unchanged":
                    plan.rows.append(as_row(self._services, found))
                    changed.append(found)
                    becomes[one.row] = found.becomes
            elif found is not None:
                plan.left[found] += 1
                becomes[one.row] = None
        return changed

    async def _shown(self, changed: list[Derived]) -> list[Derived]:
        """On record under each patient, by the client in whose name it was decided."""
        for client in sorted({one.client for one in changed}):
            repository = await self._deriver.repository(client)
            if repository is None:
                continue
            async with repository.recording(PLAN) as recording:
                for one in (one for one in changed if one.client == client):
                    recording.touch(touched(one))
        return changed


def touched(derived: Derived, version: int | None = None) -> Touched:
    stored = derived.stored
    return Touched(
        reference=stored.row,
        version=stored.version if version is None else version,
        patient=stored.patient,
        patient_reference=str(derived.content["subject"]["reference"]),
        basis=derived.basis,
    )


def _seal(services: Services, body: dict[str, Any]) -> str:
    return digest(services, "plan\n" + orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode())
