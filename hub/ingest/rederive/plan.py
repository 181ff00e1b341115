"""A plan: all rows of an adapter derived anew on paper. A file that says which rows would change, and binds itself to what it saw.

It holds no value: of each row its name and version, and keyed digests of what stands there and of what would come. A seal under the index
key makes an edited plan, or one of another hub, no plan.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import orjson

from fhir_profiles.building import BUILDERS
from fhir_profiles.measurement import RECORDING_BESIDE
from hub.ingest.rederive.chains import UNIT_ROWS, Stuck, chains
from hub.ingest.rederive.derive import Asked, Deriver
from hub.ingest.rederive.derived import Derived, Left
from hub.ingest.replay import Advance, no_progress
from hub.ingest.sender import Senders
from hub.instants import fhir_instant
from hub.recording import Recording, RequestFacts, Touched
from hub.services import Services
from hub.store.protocol import Stored
from hub.store.raws import RawAsked
from security.envelope import DataKey, fingerprint

FORMAT: Final = "hds-hub-rederivation/3"
PAGE_ROWS: Final = 200
TYPES: Final = tuple(type for type in BUILDERS if type not in RECORDING_BESIDE)
"""Types of readings. The document and the content of a recording go with what it is found by."""
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

    left    rows that are neither shown nor touched, by why
    beyond  how many rows are in it that were not asked for, for others take their place
    chains  rows that take each other's place, in units, in the order in which they go
    stuck   rows that cannot go where they belong, by why: shown, and left as they are
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
    beyond: int = 0
    chains: list[list[list[str]]] = field(default_factory=list)
    stuck: dict[str, Stuck] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Counts, and the names of what is stuck."""
        return {
            "adapter": self.adapter,
            "mappingVersion": self.mapping_version,
            "readBy": self.read_by,
            "made": self.made,
            "kinds": dict(sorted(self.kinds.items())),
            "left": dict(sorted(self.left.items())),
            "beyond": self.beyond,
            "chains": len(self.chains),
            "stuck": self.stuck,
        }

    def to_bytes(self, services: Services) -> bytes:
        body = {
            **self.summary(),
            "format": FORMAT,
            "chains": self.chains,
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
            beyond=body["beyond"],
            chains=body["chains"],
            stuck=body["stuck"],
        )

    def arrange(self, moves: Mapping[str, str], held: AbstractSet[str], unit_rows: int) -> None:
        """In what order rows go that take each other's place; those that cannot are counted and named, and not done."""
        found = chains(moves, held, unit_rows)
        self.chains, self.stuck = found.chains, dict(sorted(found.stuck.items()))
        left = [one for one in self.rows if one.row in found.stuck]
        self.kinds = self.kinds - Counter(one.kind for one in left) + Counter("stuck" for _ in left)
        self.rows = [one for one in self.rows if one.row not in found.stuck]

    def add(self, row: Row) -> None:
        self.kinds[row.kind] += 1
        if row.kind != "unchanged":
            self.rows.append(row)


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


class _Move(NamedTuple):
    """`value`: keyed hash of what would stand there."""

    row: str
    to: str
    value: bytes


@dataclass(slots=True)
class _Known:
    """Rows that are in the plan, and those of them that move."""

    rows: set[str] = field(default_factory=set)
    moves: dict[str, _Move] = field(default_factory=dict)

    def add(self, derived: Derived) -> list[_Move]:
        """The move that it makes, if it makes one."""
        row, to = derived.stored.row, derived.becomes
        self.rows.add(row)
        if to is None:
            return []
        self.moves[row] = _Move(row, to, derived.value)
        return [self.moves[row]]


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
        known = _Known()
        for raws in self._asks():
            after: tuple[int, str] | None = None
            while page := await self._services.store.raws.page(raws, after, PAGE_ROWS):
                after = (page[-1].updated_us, page[-1].row)
                await self._opens(page)
                for derived in await self._shown(await self._page(page, plan, known)):
                    show(derived)
                advance(len(page))
        held = await self._places(plan, known, show)
        plan.arrange({row: move.to for row, move in known.moves.items()}, held, UNIT_ROWS)
        return plan

    async def _page(self, page: Sequence[Stored], plan: Plan, known: "_Known") -> list[Derived]:
        """Rows that would change, which are in the plan then."""
        keys = await self._looking_at(page)
        changed = []
        for one in page:
            found: Derived | Left | None = await self._deriver.derive(one, keys.get(one.patient))
            if isinstance(found, Derived):
                plan.add(as_row(self._services, found))
                if found.kind != "unchanged":
                    known.add(found)
                    changed.append(replace(found, content_bytes=b""))  # not the bytes of all of them at once
            elif found is not None:
                plan.left[found] += 1
        return changed

    async def _looking_at(self, page: Iterable[Stored]) -> Mapping[bytes | None, DataKey]:
        keys = await self._services.vault.keys(sorted({one.patient for one in page if one.patient is not None}))
        self._deriver.forget()
        self._deriver.know(keys)
        return keys

    async def _places(self, plan: Plan, known: "_Known", show: Callable[[Derived], None]) -> set[str]:
        """Whoever lies where others go, at whatever time and by whichever version: who changes by this mapping comes into the plan.

        Gives the rows whose place is held by who stays.
        """
        held, asked = set[str](), list(known.moves.values())
        while asked:
            some, asked = [one for one in asked[:PAGE_ROWS] if one.to not in known.rows], asked[PAGE_ROWS:]
            there = await self._services.store.currents(sorted({one.to for one in some}))
            await self._opens(list(there.values()))
            keys, found = await self._looking_at(there.values()), list[Derived]()
            for one in [one for one in some if one.to in there]:
                holder = await self._deriver.holder(there[one.to], keys.get(there[one.to].patient), one.value)
                if isinstance(holder, Derived) and one.to not in known.rows:
                    plan.add(as_row(self._services, holder))
                    asked += known.add(holder)
                    found.append(replace(holder, content_bytes=b""))
                elif holder == "held":
                    held.add(one.row)
            plan.beyond += len(found)
            for derived in await self._shown(found):
                show(derived)
        return held

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
