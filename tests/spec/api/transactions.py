"""Generated transactions without conflicts, and the same as single interactions in the order of their verbs.

What there is before: Organizations and Observations of one Patient (`old`). What comes: `new` ones. Each is written once at most, and
named by its slot, so that two worlds with other ids can be held against each other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from hypothesis import strategies as st

from tests.spec.api.test_transaction import bundle, entry, statuses
from tests.support.caller import Caller, resources
from tests.support.resources import observation, organization, patient

Json = dict[str, Any]

SYSTEM = "urn:worlds"
OLD = {"o0": "Organization", "o1": "Organization", "o2": "Organization", "o3": "Organization", "r0": "Observation", "r1": "Observation"}
PATIENT = "p0"
NEW_MAX = 5
PHASES: Mapping[str, int] = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3}
"""https://hl7.org/fhir/R4/http.html#trules"""

Act = Literal["DELETE", "POST", "PUT", "PATCH", "GET"]
Answered = tuple[str, tuple[str, str] | None]
"""The status of an entry, and what a read has shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """`slot`: what it is about; `by_criteria`: found by its identifier; `link`: the slot that it refers to, `link_by_criteria` likewise."""

    act: Act
    slot: str
    type: str
    text: str = ""
    by_criteria: bool = False
    link: str | None = None
    link_by_criteria: bool = False

    @property
    def is_new(self) -> bool:
        return self.slot.startswith("n")

    @property
    def turn(self) -> tuple[int, bool, int, str]:
        """In the order of verbs; a new Patient first, and what is new before what may refer to it."""
        return PHASES[self.act], self.type != "Patient", not self.is_new, self.slot


@st.composite
def plans(draw: st.DrawFn) -> list[Op]:
    """Operations that have nothing against each other, in any order."""
    free = ("POST", "PUT", "PATCH", "DELETE", None, None)
    acts = {slot: draw(st.sampled_from(free)) for slot in OLD}
    kept = [slot for slot, act in acts.items() if act in (None, "POST") and OLD[slot] == "Organization"]
    news = [
        (
            f"n{number}",
            *draw(st.sampled_from([("POST", "Organization"), ("POST", "Observation"), ("POST", "Patient"), ("PUT", "Organization")])),
        )
        for number in range(draw(st.integers(0, NEW_MAX)))
    ]
    made: list[Op] = []
    for slot, act, type in news:
        linked = [one for one, way, of in news if of == _linked_type(type) and (PHASES[way], one) < (PHASES[act], slot)]
        made.append(_op(draw, act, slot, type, linked, kept, by_criteria=act == "PUT" or draw(st.booleans())))
    for slot, act in acts.items():
        if act is not None:
            linked = [one for one, way, of in news if of == OLD[slot] == "Organization" and PHASES[way] <= PHASES[act]]
            by_criteria = act == "POST" or (act in ("PUT", "PATCH", "DELETE") and draw(st.booleans()))
            made.append(_op(draw, act, slot, OLD[slot], linked, kept, by_criteria=by_criteria))
    there = [slot for slot, act in acts.items() if act != "DELETE"]
    reads = [
        Op(act="GET", slot=slot, type=OLD[slot])
        for slot in draw(st.lists(st.sampled_from(there), unique=True, max_size=2) if there else st.just([]))
    ]
    return draw(st.permutations(made + reads))


def _linked_type(type: str) -> str:
    return "Patient" if type == "Observation" else "Organization"


def _op(draw: st.DrawFn, act: Any, slot: str, type: str, linked: Sequence[str], kept: Sequence[str], *, by_criteria: bool) -> Op:
    choices: list[tuple[str | None, bool]] = [(None, False), *((one, False) for one in linked)]
    if type == "Organization":
        choices += [(one, by) for one in kept for by in (False, True) if one != slot]
    link, link_by_criteria = draw(st.sampled_from(choices)) if act in ("POST", "PUT") else (None, False)
    text = draw(st.sampled_from(["Alpha", "Bravo", "Été"]))
    return Op(act=act, slot=slot, type=type, text=text, by_criteria=by_criteria, link=link, link_by_criteria=link_by_criteria)


@dataclass(slots=True)
class World:
    """The same beginning under other names: `key` is in all identifiers, `ids` are those of the slots."""

    caller: Caller
    key: str
    ids: dict[str, str] = field(default_factory=dict)

    def begin(self) -> "World":
        person = self.caller.create(self.resource(PATIENT, "Patient"))
        self.ids[PATIENT] = person["id"]
        entries = [entry("POST", type, self.resource(slot, type)) for slot, type in OLD.items()]
        answer = self.caller.post("/fhir", bundle(*entries))
        assert answer.status_code == 200, answer.text
        self.learn(OLD, answer.json()["entry"])
        return self

    def learn(self, slots: Any, entries: Sequence[Json]) -> None:
        for slot, one in zip(slots, entries, strict=True):
            location = one["response"].get("location", "")
            if location:
                self.ids[slot] = location.partition("/fhir/")[2].split("/")[1]

    def criteria(self, slot: str) -> str:
        return f"identifier={SYSTEM}|{self.key}-{slot}"

    def urn(self, slot: str) -> str:
        """Of what has no id yet."""
        return f"urn:uuid:00000000-0000-4000-8000-{int(slot[1:]):012}"

    def reference(self, slot: str, type: str, *, by_criteria: bool = False) -> Json:
        if by_criteria:
            return {"reference": f"{type}?{self.criteria(slot)}"}
        return {"reference": f"{type}/{self.ids[slot]}" if slot in self.ids else self.urn(slot)}

    def resource(self, slot: str, type: str, op: Op | None = None) -> Json:
        text = op.text if op else "Avant"
        identifier = [{"system": SYSTEM, "value": f"{self.key}-{slot}"}]
        link = op.link if op else None
        match type:
            case "Patient":
                return patient(text, identifier=identifier)
            case "Observation":
                subject = self.reference(link or PATIENT, "Patient")
                return {**observation(None, identifier=identifier, note=[{"text": text}]), "subject": subject}
            case _:
                made = organization(text, identifier=identifier)
                by_criteria = bool(op and op.link_by_criteria)
                return made if link is None else {**made, "partOf": self.reference(link, "Organization", by_criteria=by_criteria)}

    def body(self, op: Op) -> Json | None:
        if op.act in ("DELETE", "GET"):
            return None
        if op.act == "PATCH":
            path = "Organization.name" if op.type == "Organization" else "Observation.note[0].text"
            parts = {"type": {"valueCode": "replace"}, "path": {"valueString": path}, "value": {"valueString": op.text}}
            return {
                "resourceType": "Parameters",
                "parameter": [{"name": "operation", "part": [{"name": name, **value} for name, value in parts.items()]}],
            }
        made = self.resource(op.slot, op.type, op)
        return {**made, "id": self.ids[op.slot]} if op.act == "PUT" and not op.by_criteria else made

    def url(self, op: Op) -> str:
        if op.act == "POST":
            return op.type
        return f"{op.type}?{self.criteria(op.slot)}" if op.by_criteria else f"{op.type}/{self.ids[op.slot]}"

    def unless(self, op: Op) -> str | None:
        return self.criteria(op.slot) if op.act == "POST" and op.by_criteria else None

    def entry(self, op: Op) -> Json:
        unless = self.unless(op)
        more = {} if unless is None else {"ifNoneExist": unless}
        return entry(op.act, self.url(op), self.body(op), self.urn(op.slot) if op.is_new else None, **more)

    def at_once(self, plan: Sequence[Op]) -> httpx.Response:
        return self.caller.post("/fhir", bundle(*map(self.entry, plan)))

    def one_by_one(self, plan: Sequence[Op]) -> list[Answered]:
        """In the order of the plan, done in the order of verbs."""
        answers = {}
        for op in sorted(plan, key=lambda one: one.turn):
            answer = self._alone(op)
            assert answer.status_code < 300, (op, answer.text)
            if answer.headers.get("location"):
                self.ids[op.slot] = answer.headers["location"].partition("/fhir/")[2].split("/")[1]
            answers[op] = str(answer.status_code), answer.json() if op.act == "GET" else None
        return [(status, self._said(read) if read else None) for status, read in map(answers.__getitem__, plan)]

    def answered(self, plan: Sequence[Op], response: Json) -> list[Answered]:
        """The same of a transaction."""
        entries = response.get("entry", [])
        self.learn([op.slot for op in plan], entries)
        read = [self._said(one["resource"]) if op.act == "GET" else None for op, one in zip(plan, entries, strict=True)]
        return list(zip(statuses({"entry": entries}), read, strict=True))

    def _alone(self, op: Op) -> httpx.Response:
        """A conditional reference is for transactions; alone the client resolves it itself."""
        body, unless = self.body(op), self.unless(op)
        if body is not None and op.link_by_criteria:
            (id,) = self.caller.found(f"Organization?{self.criteria(str(op.link))}")
            body["partOf"] = {"reference": f"Organization/{id}"}
        headers = {"Content-Type": "application/fhir+json", **({} if unless is None else {"If-None-Exist": unless})}
        return self.caller.request(op.act, self.url(op), headers=headers, **({} if body is None else {"json": body}))

    def state(self) -> dict[str, Any]:
        """Every slot as it is now: versions and what they say, with the slots' names for ids and without times; a status where none is."""
        slots = [PATIENT, *OLD, *(f"n{number}" for number in range(NEW_MAX))]
        asked = ",".join(f"{SYSTEM}|{self.key}-{slot}" for slot in slots)
        state: dict[str, Any] = {slot: [] for slot in slots}
        for type in ("Patient", "Organization", "Observation"):
            for one in resources(self.caller.search(f"{type}?identifier={asked}&_count=100&_sort=_id")):
                state[one["identifier"][0]["value"].removeprefix(f"{self.key}-")].append(self._said(one))
        gone = {slot: self.caller.get(f"{type}/{self.ids[slot]}").status_code for slot, type in OLD.items() if not state[slot]}
        return {**state, **gone}

    def _said(self, resource: Json) -> tuple[str, str]:
        version = resource.pop("meta")["versionId"]
        text = json.dumps(resource, sort_keys=True).replace(f"{self.key}-", "")
        for slot, id in self.ids.items():
            text = text.replace(id, slot)
        return version, text
