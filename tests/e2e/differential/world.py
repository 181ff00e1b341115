"""A whole store in plain text, and what a search of it must answer: naive, slow, and without a line of the hub's.

Written from https://hl7.org/fhir/R4/search.html and the readings in docs/search.md and docs/consent.md. Whether a patient
permits is decided by the other naive judge, tests/spec/consent/oracle.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.e2e.differential.codes import UCUM, UNITS
from tests.e2e.differential.criteria import Judge, coded
from tests.e2e.differential.table import COMPARTMENTS, TABLE, Known
from tests.e2e.differential.values import date_spans, elements, fraction, spaced, texts
from tests.spec.consent.oracle import Caller, judge

Json = dict[str, Any]
Pair = tuple[str, str]
Key = tuple[str, int]
"""("Type/id", version)"""
REMEMBERED_MAX = 500
RESULT = ("_sort", "_count", "_total", "_summary", "_include", "_revinclude", "_type")


@dataclass(frozen=True)
class Asker:
    """Who asks. `scopes`: (type or *, letters, query). `opted_out`: no Consent is needed for its own patients, for treatment."""

    name: str
    device: str
    organization: str
    purpose: str
    opted_out: bool
    scopes: tuple[tuple[str, str, tuple[Pair, ...]], ...]


class Forbidden(Exception):
    """A scope to search some type on the way is missing."""


@dataclass(frozen=True)
class Asked:
    """A search of `types`: one, or several at once (`everywhere`). `within`: the compartment that it is of, or ""."""

    types: tuple[str, ...]
    pairs: tuple[Pair, ...]
    everywhere: bool = False
    within: str = ""

    @property
    def path(self) -> str:
        if self.everywhere:
            return ""
        return f"{self.within}/{self.types[0]}" if self.within else self.types[0]

    @property
    def criteria(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair[0].partition(":")[0] not in RESULT]


@dataclass(frozen=True)
class Answer:
    """What all pages together must hold, as "Type/id". `orders`: those that are right (see `World.ordered`)."""

    orders: tuple[tuple[str, ...], ...]
    total: int | None
    size: int


@dataclass
class World:
    """`current`: by "Type/id"; `versions`: every version there was; `now`: of the search; `rows`: how ids that were brought are kept;
    `paired`: the patient who wears a device."""

    base: str
    now: datetime
    current: dict[str, Json]
    versions: dict[Key, Json]
    rows: dict[str, str] = field(default_factory=dict)
    paired: dict[str, str] = field(default_factory=dict)
    remembered: dict[tuple[str, Asked, str], list[Json]] = field(default_factory=dict)
    seen: dict[tuple[str, str], bool] = field(default_factory=dict)

    @cached_property
    def judge(self) -> Judge:
        return Judge(self.base, self.now)

    @cached_property
    def consents(self) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = {name: [] for name in self.last if name.startswith("Patient/")}
        for resource in self.current.values():
            if resource["resourceType"] == "Consent":
                found[resource["patient"]["reference"]].append(resource)
        return found

    @cached_property
    def last(self) -> dict[str, Json]:
        """The newest version of each, deleted or not."""
        return {name: resource for (name, _), resource in sorted(self.versions.items(), key=lambda item: item[0])}

    @cached_property
    def by_type(self) -> dict[str, list[Json]]:
        return {type: [one for one in self.current.values() if one["resourceType"] == type] for type in TABLE}

    # What a caller may see

    def concerned(self, resource: Json) -> set[str]:
        """The patients whose data it is: itself, whoever is named anywhere in it or wears it, and whom that concerns which a
        Provenance is about."""
        found = {named for reference in references(resource) if (named := self.judge.named(reference) or "").startswith("Patient/")}
        if resource["resourceType"] == "Patient":
            found.add(f"Patient/{resource['id']}")
        if resource["resourceType"] == "Provenance":
            about = [name for name in self.judge.local(TABLE["Provenance"]["target"], resource) if name in self.last]
            about = [name for name in about if not name.startswith("Patient/")]  # about a Patient: that one alone is asked
            found |= {patient for name in about for patient in self.concerned(self.last[name])}
        worn_by = self.paired.get(f"{resource['resourceType']}/{resource['id']}")
        return found | ({worn_by} if worn_by else set())

    def permits(self, asker: Asker, resource: Json) -> bool:
        return all(self.patient_permits(asker, patient, resource) for patient in self.concerned(resource))

    def patient_permits(self, asker: Asker, patient: str, resource: Json) -> bool:
        if patient not in self.last:
            return False
        managed_by = self.last[patient].get("managingOrganization", {}).get("reference")
        default = asker.opted_out and asker.purpose == "TREAT" and managed_by == asker.organization
        caller = Caller(names=frozenset(self.names_of(asker)), purpose=asker.purpose, action="access")
        return judge(self.consents[patient], caller, resource, default=default, now=self.now)[0]

    def names_of(self, asker: Asker) -> list[str]:
        """Itself, its organisation, and those above that."""
        names = [asker.device, asker.organization]
        while (written := self.current.get(names[-1], {}).get("partOf", {}).get("reference")) and self.judge.named(written) not in names:
            names.append(self.judge.named(written) or "")
        return names

    def in_scope(self, asker: Asker, resource: Json, letters: str) -> bool:
        covering = [one for one in asker.scopes if one[0] in ("*", resource["resourceType"]) and set(one[1]) & set(letters)]
        return any(all(self.simple(resource, *pair) for pair in query) for _, _, query in covering)

    def covers(self, asker: Asker, type: str, letters: str) -> bool:
        return any(named in ("*", type) and set(given) & set(letters) for named, given, _ in asker.scopes)

    def sees(self, asker: Asker, name: str, letters: str = "s") -> bool:
        key = asker.name + letters, name
        if key not in self.seen:
            resource = self.current.get(name)
            self.seen[key] = resource is not None and self.in_scope(asker, resource, letters) and self.permits(asker, resource)
        return self.seen[key]

    def visible(self, asker: Asker, type: str) -> list[Json]:
        return [one for name, one in self.current.items() if name.startswith(f"{type}/") and self.sees(asker, name)]

    # Criteria

    def simple(self, resource: Json, name: str, value: str) -> bool:
        code, _, modifier = name.partition(":")
        known = TABLE[resource["resourceType"]][code]
        return self.judge.holds(known, modifier, value, resource)

    def criterion(self, asker: Asker, type: str, name: str, value: str) -> Callable[[Json], bool]:
        """Does a resource of the type answer it? https://hl7.org/fhir/R4/search.html#chaining and #has"""
        if name.startswith("_has:"):
            _, source, code, rest = name.split(":", 3)
            known = TABLE[source][code]
            referred = {one for found in self.found(asker, source, [(rest, value)]) for one in self.judge.local(known, found)}
            return lambda resource: f"{type}/{resource['id']}" in referred
        if "." in name:
            head, _, rest = name.partition(".")
            code, _, target = head.partition(":")
            known = TABLE[type][code]
            types = [target] if target else [one for one in known.targets if one in TABLE and rest_is_of(one, rest)]
            ends = {f"{one}/{found['id']}" for one in types for found in self.found(asker, one, [(rest, value)])}
            return lambda resource: not ends.isdisjoint(self.judge.local(known, resource))
        return lambda resource: self.simple(resource, name, value)

    def found(self, asker: Asker, type: str, pairs: Sequence[Pair]) -> list[Json]:
        if not self.covers(asker, type, "s"):
            raise Forbidden
        criteria = [self.criterion(asker, type, name, value) for name, value in pairs]
        return [one for one in self.visible(asker, type) if all(criterion(one) for criterion in criteria)]

    # The answer

    def matches(self, asker: Asker, asked: Asked, type: str) -> list[Json]:
        """Remembered for a while: a search is asked about several times over."""
        bare = replace(asked, pairs=tuple(asked.criteria))
        key = (asker.name, bare, type)
        if key not in self.remembered:
            if len(self.remembered) > REMEMBERED_MAX:
                self.remembered.clear()
            self.remembered[key] = self._matches(asker, bare, type)
        return self.remembered[key]

    def _matches(self, asker: Asker, asked: Asked, type: str) -> list[Json]:
        found = self.found(asker, type, asked.criteria)
        codes = COMPARTMENTS[asked.within.partition("/")[0]][type] if asked.within else ()
        return [one for one in found if not codes or any(self.simple(one, code, asked.within) for code in codes)]

    def matching(self, asker: Asker, asked: Asked) -> int:
        try:
            return sum(len(self.matches(asker, asked, type)) for type in asked.types)
        except Forbidden:
            return 0

    def search(self, asker: Asker, asked: Asked) -> Answer:
        shape = dict(asked.pairs)
        found = {type: self.matches(asker, asked, type) for type in sorted(asked.types)}
        size, counted = int(shape.get("_count", "50")), shape.get("_summary") == "count"
        total = sum(map(len, found.values())) if counted or not size or shape.get("_total") == "accurate" else None
        if counted or not size:
            found = {}
        orders = {
            tuple(name for type in found for name in self.ordered(found[type], type, shape.get("_sort"), down=down, rows=rows))
            for down in (False, True)
            for rows in ({}, self.rows)
        }
        return Answer(tuple(orders), total, size)

    def ordered(self, found: Sequence[Json], type: str, sort: str | None, *, down: bool, rows: dict[str, str]) -> list[str]:
        """What is missing comes last, up or down. Observations come newest first if nothing is said, others by id.

        What is equal is parted by id, upwards or downwards; ids that an importer brought count as the hub keeps them (`rows`),
        unless the order asks to have everything opened.
        """
        keys = sort.split(",") if sort else ["-date"] if type == "Observation" else ["_id"]

        def by_id(one: Json) -> str:
            return rows.get(f"{type}/{one['id']}", one["id"])

        made = sorted(found, key=by_id, reverse=down)
        for key in reversed(keys):  # a stable sort by the last key first
            known, up = TABLE[type][key.removeprefix("-")], not key.startswith("-")
            made = sorted(made, key=by_id, reverse=not up) if known.kind == "id" else by(made, known, down=not up)
        return [f"{type}/{one['id']}" for one in made]

    # What comes along

    def along(self, asker: Asker, search: Asked, matches: Sequence[str]) -> set[Key]:
        """https://hl7.org/fhir/R4/search.html#include: the (Type/id, version) that come with a page of these."""
        asked = [(name, value) for name, value in search.pairs if name.partition(":")[0] in ("_include", "_revinclude")]
        there = {self.key_of(name) for name in matches}
        whole, fresh, first = set(there), set(there), True
        while fresh:
            active = [pair for pair in asked if first or pair[0].endswith((":iterate", ":recurse"))]
            more = {led for key in fresh for pair in active for led in self.hop(asker, *pair, search.types, key)}
            fresh, first = more - whole, False
            whole |= fresh
        return whole - there

    def key_of(self, name: str) -> Key:
        return name, int(self.current[name]["meta"]["versionId"])

    def hop(self, asker: Asker, name: str, value: str, types: Sequence[str], key: Key) -> Iterator[Key]:
        """`*` is every reference of what is searched."""
        own = key[0].partition("/")[0]
        whole = [own, "*"] if own in types else ["Organization", "none"]
        source, code, target = (*(value.split(":") if value != "*" else whole), "")[:3]
        rows = [one for one in TABLE[source].values() if one.type == "reference" and one.kind == "Reference" and code in ("*", one.code)]
        if name.startswith("_include"):
            if key[0].startswith(f"{source}/"):
                led = [one for known in rows for one in self.judge.led_to(known, self.versions[key])]
                yield from (there for one in led if target in ("", one[0].split("/")[0]) and (there := self.followed(asker, *one)))
        elif target in ("", key[0].split("/")[0]) and self.covers(asker, source, "s"):
            for one in self.visible(asker, source):
                if any(key[0] in self.judge.local(known, one) for known in rows):
                    yield self.key_of(f"{source}/{one['id']}")

    def followed(self, asker: Asker, name: str, version: int | None) -> Key | None:
        """A version that a reference names may be seen by whom that version and the current one are shown."""
        if name not in self.current or not self.sees(asker, name, "rs"):
            return None
        key = (name, version) if version is not None else self.key_of(name)
        old = self.versions.get(key)
        return key if old is not None and self.in_scope(asker, old, "rs") and self.permits(asker, old) else None


def references(node: Any) -> Iterator[str]:
    """Every literal reference in a resource, wherever it stands."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        for name, child in node.items():
            if name == "reference" and isinstance(child, str):
                yield child
            else:
                yield from references(child)


def rest_is_of(type: str, rest: str) -> bool:
    """Has the type the next parameter of a chain?"""
    if rest.startswith("_has:"):
        _, source, code, _ = rest.split(":", 3)
        return not TABLE[source][code].targets or type in TABLE[source][code].targets
    return rest.partition(".")[0].partition(":")[0] in TABLE[type]


def sort_values(known: Known, resource: Json) -> list[Any]:
    """Dates by their beginning, strings as they are searched, tokens by code, quantities of UCUM in their base unit."""
    found = elements(known, resource)
    if known.kind == "deceased":
        return ["true" if any(one is not False for one in found) else "false"]
    match known.type:
        case "date":
            return [one.first for element in found for one in date_spans(element, known.kind)]
        case "string":
            return [spaced(text) for element in found for text in texts(known.kind, element)]
        case "number" | "quantity":
            return [value for one in found if (value := magnitude(one)) is not None]
        case "token" if known.kind != "id":
            return [code for element in found for _, code in coded(known, element)]
    return list(found)


def magnitude(element: Any) -> Any:
    if not isinstance(element, dict):
        return fraction(element)
    if "low" in element or "high" in element:
        return magnitude(element.get("low", element.get("high")))
    value = fraction(element.get("value"))
    if value is None or element.get("system") != UCUM or element.get("code") not in UNITS:
        return value
    _, times, plus = UNITS[element["code"]]
    return value * times + plus


def by(found: Sequence[Json], known: Known, *, down: bool) -> list[Json]:
    """Of several values the first in the order counts."""
    values = [(sort_values(known, one), one) for one in found]
    there = [(max(some) if down else min(some), one) for some, one in values if some]
    there.sort(key=lambda pair: pair[0], reverse=down)  # stable either way
    return [one for _, one in there] + [one for some, one in values if not some]
