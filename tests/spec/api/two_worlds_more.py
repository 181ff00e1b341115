"""Further things and further questions for the two worlds: compartments, operations, conditions, patches, batches, transactions.

SECURITY 2.6 (1), DESIGN law 3. Whatever names a hidden id, or criteria that only something hidden meets, is answered as if
nothing had it. Nobody who asks is a recorder or an importer: those learn from a write what exists (docs/adr/0009).
"""

import base64
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.spec.api.two_worlds import _CRITERIA as CRITERIA
from tests.spec.api.two_worlds import FHIR, SHAPES, SORTS, Question, Thing, things
from tests.spec.api.two_worlds import PEOPLE as KNOWN
from tests.support.resources import ABSENT, HEART_RATE, action, consent, device, observation, organization, patient, practitioner

Json = dict[str, Any]
SEED = 20_261_129
TYPES = tuple(CRITERIA)
PEOPLE = [*KNOWN, "c1"]
KEY = [{"system": "urn:obs", "value": "collected"}]
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON_PATCH = ("Content-Type", "application/json-patch+json")
PDF = ("Content-Type", "application/pdf")
SHOWN = ("Prefer", "return=representation")


def more_things() -> list[Thing]:
    """Lists, groups, provenance and binaries, which name other resources and belong to whom these belong to."""
    made = list(things())
    consents = next(number for number, thing in enumerate(made) if thing.resource["resourceType"] == "Consent")
    # Of somebody who lets readings be collected and nobody see them: who may write there learns nothing of what is there.
    collected = {"action": [action("collect")]}
    further = [
        Thing(patient("Recueillie", id="c1")),
        *(Thing(observation("c1", value=60 + number, id=f"c1-o{number}", identifier=KEY), hidden=True) for number in range(2)),
        Thing(_list("l-seen", "v1", ["Observation/v1-o0", "Observation/v2-o2", "Observation/h1-o0", "Patient/v1", "Device/d1"])),
        Thing(_list("l-mixed", "v6", ["Observation/v6-o0", "Patient/h2"]), hidden=True),
        Thing(_list("l-hidden", "h1", ["Observation/v1-o0", "Patient/v1", "Device/d1", "Observation/h1-o1"]), hidden=True),
        Thing(_provenance("p-seen", "Observation/v1-o0")),
        Thing(_provenance("p-withheld", "Observation/h3-o0"), hidden=True),
        Thing(_provenance("p-mixed", "Observation/v1-o1", "Observation/h1-o0"), hidden=True),
        Thing(_binary("b-seen", "Observation/v6-o0")),
        Thing(_binary("b-hidden", "Observation/h4-o0"), hidden=True),
        Thing(_group("g-seen", "Patient/v1", "Device/d1")),
        Thing(_group("g-hidden", "Patient/v1", "Patient/h1"), hidden=True),
        Thing(
            observation("v1", HEART_RATE, 94, id="v1-unit", device={"reference": "Device/d-named"}, at="2026-05-15T10:00:00Z"), hidden=False
        ),
    ]
    return [*made[:consents], *further, *made[consents:], Thing(consent("c1", id="c1-c0", provision=collected))]


def _list(id: str, subject: str, items: Sequence[str]) -> Json:
    entries = [{"item": {"reference": item}} for item in items]
    return {
        "resourceType": "List",
        "id": id,
        "status": "current",
        "mode": "working",
        "subject": {"reference": f"Patient/{subject}"},
        "entry": entries,
    }


def _provenance(id: str, *targets: str) -> Json:
    return {
        "resourceType": "Provenance",
        "id": id,
        "target": [{"reference": target} for target in targets],
        "recorded": "2026-05-01T10:00:00Z",
        "agent": [{"who": {"reference": "Practitioner/prac1"}}],
    }


def _binary(id: str, about: str) -> Json:
    data = base64.b64encode(b"x").decode()
    return {"resourceType": "Binary", "id": id, "contentType": "text/plain", "securityContext": {"reference": about}, "data": data}


def _group(id: str, *members: str) -> Json:
    made = [{"entity": {"reference": member}} for member in members]
    return {"resourceType": "Group", "id": id, "type": "person", "actual": True, "member": made}


def more_questions(some: int, seed: int) -> list[Question]:
    chance = random.Random(SEED + seed)
    names = [thing.name for thing in more_things() if thing.paired is None] + [
        f"{type}/{ABSENT}" for type in (*TYPES, "List", "Provenance", "Binary")
    ]
    parts: list[list[Question]] = [
        list(part(names, chance))
        for part in (_compartments, _operations, _conditions, _patches, _heads, _abouts, _lists, _batches, _transactions)
    ]
    # As much of each kind, so that the many of one do not push out the few of another.
    chosen = [question for part in parts for question in chance.sample(part, min(some // len(parts), len(part)))]
    chance.shuffle(chosen)
    return chosen


def _joined(*parts: str) -> str:
    return "&".join(part for part in parts if part)


def _compartments(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    owners = [*(f"Patient/{id}" for id in PEOPLE), *(name for name in names if name.startswith(("Device/", "Practitioner/")))]
    for owner in owners:
        for type in ("Observation", "Device", "Consent", "List", "Provenance", "Group", "Patient", "*"):
            query = (
                chance.choice(SHAPES) if type == "*" else _joined(chance.choice(SHAPES), f"_sort={chance.choice(SORTS.get(type, ['_id']))}")
            )
            yield Question("GET", f"/fhir/{owner}/{type}?{query}", follow=2)


def _operations(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    for id in PEOPLE:
        for query in ("", "_count=1", "_count=3&_type=Observation,Device", "start=2026-02", "_since=2026-11-22T12:00:30Z"):
            yield Question("GET", f"/fhir/Patient/{id}/$everything?{query}", follow=3)
        for query in (
            "shape=phd",
            "shape=phd&_count=2",
            "shape=hddt&chunkHours=1",
            "shape=ans&source=urn:oid:1.2.3",
            "shape=hddt&start=2026-02",
        ):
            yield Question("GET", f"/fhir/Patient/{id}/$measures?{query}", follow=3)
        for query in ("", "max=2", "category=vital-signs", "max=100&code:not=8867-4", "patient.name=durand"):
            yield Question("GET", f"/fhir/Observation/$lastn?{_joined(f'patient={id}', query)}")
        for query in ("statistic=average", "statistic=count&include=true", "statistic=count&interval=month"):
            yield Question("GET", f"/fhir/Observation/$stats?subject=Patient/{id}&system=http://loinc.org&code=8867-4&{query}")
    yield Question("GET", "/fhir/Observation/$lastn?patient.name=durand&max=3")
    yield Question("GET", "/fhir/Observation/$lastn?subject:Patient.identifier=4711")
    for type in (*TYPES, "List", "Provenance"):
        yield Question("GET", f"/fhir/{type}/$meta")
    for name in chance.sample(list(names), 25):
        type = name.partition("/")[0]
        told = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": "t"}]}}]}
        if type != "Consent":
            yield Question("POST", f"/fhir/{name}/{chance.choice(('$meta-add', '$meta-delete'))}", _body(told), (FHIR,))
        yield Question("GET", f"/fhir/{name}/$meta")
        yield Question("GET", f"/fhir/{name}/_history/1/$meta")
        yield Question("GET", f"/fhir/{name}/$validate")
        yield Question("GET", f"/fhir/{name}/$validate?mode=delete")


def _criteria(type: str, names: Sequence[str], chance: random.Random) -> str:
    """Of those that a conditional interaction may have; some are met by something hidden alone."""
    pairs = [pair for pair in CRITERIA.get(type, "").split() if not pair.startswith("_has") and "." not in pair.partition("=")[0]]
    pairs += [f"_id={name.partition('/')[2]}" for name in names if name.startswith(f"{type}/")] * 2
    if type == "Observation":
        pairs += ["identifier=urn:obs|collected", "patient=c1"] * 3
        pairs += [f"patient={id}&code=29463-7" for id in PEOPLE] + [f"performer=Patient/{id}" for id in PEOPLE]
    return _joined(chance.choice(pairs), chance.choice(["", "", chance.choice(pairs)]))


def _plain(type: str, chance: random.Random) -> Json:
    """Something to write that names nobody but, now and then, somebody hidden."""
    return {
        "Observation": lambda: observation(chance.choice(PEOPLE), value=chance.randrange(40, 90)),
        "Device": lambda: device("Balance", patient={"reference": f"Patient/{chance.choice(PEOPLE)}"}),
        "Organization": lambda: organization("Clinique Durand"),
        "Practitioner": lambda: practitioner("Durand"),
    }[type]()


WRITTEN = ("Observation", "Device", "Organization", "Practitioner")


def _conditions(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    for _ in range(120):
        type = chance.choice(WRITTEN)
        query, body = _criteria(type, names, chance), _body(_plain(type, chance))
        yield Question("POST", f"/fhir/{type}", body, (FHIR, SHOWN, ("If-None-Exist", query)))
        yield Question("PUT", f"/fhir/{type}?{_criteria(type, names, chance)}", body, (FHIR, *_if_match(chance)))
        yield Question("PATCH", f"/fhir/{type}?{_criteria(type, names, chance)}", _tagging(chance), (JSON_PATCH,))
        yield Question("DELETE", f"/fhir/{type}?{_criteria(type, names, chance)}")


def _if_match(chance: random.Random) -> tuple[tuple[str, str], ...]:
    etag = chance.choice([None, 'W/"1"', 'W/"2"', 'W/"1", W/"2"', "*"])
    return () if etag is None else ((chance.choice(("If-Match", "If-None-Match")), etag),)


def _tagging(chance: random.Random) -> bytes:
    tag = [{"system": "urn:t", "code": str(chance.randrange(3))}]
    test = {"op": "test", "path": "/resourceType", "value": chance.choice(("Observation", "Device"))}
    operations = [{"op": "add", "path": "/meta/tag", "value": tag}]
    return json.dumps([*chance.choice(([], [test])), *chance.choice((operations, operations, []))]).encode()


def _patches(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    for name in names:
        yield Question("PATCH", f"/fhir/{name}", _tagging(chance), (JSON_PATCH, *_if_match(chance)))
        yield Question("PATCH", f"/fhir/{name}", b'[{"op": "remove", "path": "/nothing"}]', (JSON_PATCH,))


def _heads(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    dated = "Sun, 22 Nov 2026 12:00:20 GMT"
    for name in names:
        condition = chance.choice([("If-None-Match", 'W/"1"'), ("If-None-Match", "*"), ("If-Modified-Since", dated)])
        yield Question(chance.choice(("HEAD", "GET")), f"/fhir/{name}", headers=(condition,))
        yield Question("HEAD", f"/fhir/{name}/_history/{chance.randrange(1, 4)}")
        yield Question("HEAD", f"/fhir/{name}/_history")
        yield Question("GET", f"/fhir/{name}", headers=(("Accept", "application/fhir+xml"),))
        if name.startswith("Binary/"):
            for accept in ("*/*", "text/plain", "image/png", "application/fhir+json", "application/fhir+json;fhirVersion=5.0"):
                path = chance.choice(("", "/_history/1"))
                yield Question(chance.choice(("HEAD", "GET")), f"/fhir/{name}{path}", headers=(("Accept", accept), *_if_match(chance)))
    for type in TYPES:
        yield Question("HEAD", f"/fhir/{type}?_total=accurate")
        yield Question("GET", f"/fhir/{type}?_total=estimate&_count=1", follow=1)


def _abouts(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    """What is written about something: it concerns whom that concerns, if it is there."""
    for name in names:
        provenance = {**_provenance("x", name), "id": "x"}
        yield Question("POST", "/fhir/Provenance", _body(provenance), (FHIR,))
        yield Question("POST", "/fhir/Binary", _body(_binary("x", name)), (FHIR,))
        context = ("X-Security-Context", name)
        yield Question("POST", "/fhir/Binary", b"%PDF", (PDF, context, *chance.choice(((), (SHOWN,)))))
        bytes_at = chance.choice([one for one in names if one.startswith("Binary/")])
        yield Question("PUT", f"/fhir/{bytes_at}", b"%PDF", (PDF, *chance.choice(((), (context,)))))
        yield Question("POST", "/fhir/List", _body(_list("x", "v1", [name])), (FHIR,))
        yield Question("POST", "/fhir/Group", _body(_group("x", name)), (FHIR,))
        yield Question("POST", "/fhir/Observation", _body(observation(None, category="survey", subject={"reference": name})), (FHIR,))
        beside = json.dumps({key: value for key, value in provenance.items() if key not in ("id", "target")})
        yield Question("PUT", f"/fhir/{name}", _body({"resourceType": name.split("/")[0], "id": "other"}), (FHIR, ("X-Provenance", beside)))
        yield Question("DELETE", f"/fhir/{name}", headers=(("X-Provenance", beside),))


def _lists(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    lists = [name.partition("/")[2] for name in names if name.startswith("List/")]
    for id in lists:
        for type in ("Observation", "Patient", "Device"):
            yield Question("GET", f"/fhir/{type}?{_joined(f'_list={id}', chance.choice(SHAPES))}", follow=1)
            yield Question("GET", f"/fhir/{type}?{_joined(f'_has:List:item:_id={id}', chance.choice(SHAPES))}", follow=1)
    for type in ("List", "Provenance", "Binary", "Group"):
        for shape in SHAPES:
            yield Question("GET", f"/fhir/{type}?{shape}", follow=1)
        yield Question("GET", f"/fhir/{type}/_history?_count=3&_total=accurate", follow=1)
    for query in (
        "Provenance?target=Observation/h3-o0",
        "Provenance?target:Observation.code=8867-4&_include=Provenance:target",
        "Group?member=Patient/h1",
        "Group?member:Patient.name=durand",
        "List?item=Observation/v1-o0",
        "List?item:Observation.patient.name=durand&_include=List:item",
        "Observation?_has:Provenance:target:agent=Practitioner/prac1",
        "Observation?_revinclude=Provenance:target&_revinclude=List:item&_count=5",
        "Patient?_has:Group:member:type=person",
        "Patient?_has:List:item:status=current&_sort=name&_total=accurate",
    ):
        yield Question("GET", f"/fhir/{query}", follow=1)


def _entry(method: str, url: str, resource: Json | None = None, full_url: str | None = None, **request: str) -> Json:
    made: Json = {"request": {"method": method, "url": url, **request}}
    made |= {} if resource is None else {"resource": resource}
    return made if full_url is None else {**made, "fullUrl": full_url}


def _entries(names: Sequence[str], chance: random.Random) -> list[Callable[[], Json]]:
    """Kinds of entries, by method."""
    tag = [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Resource.meta.tag"}]
    patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": tag}]}

    def name() -> str:
        return chance.choice(list(names))

    def replaced() -> Json:
        target = chance.choice([one for one in names if one.startswith("Observation/")])
        return _entry("PUT", target, {**observation(chance.choice(PEOPLE)), "id": target.partition("/")[2]}, **_entry_match(chance))

    def created(**more: str) -> Json:
        type = chance.choice(WRITTEN)
        criteria = {"ifNoneExist": _criteria(type, names, chance)} if chance.random() < 0.6 else {}
        return _entry("POST", type, _plain(type, chance), f"urn:uuid:0000000{chance.randrange(9)}-0000-4000-8000-000000000000", **criteria)

    def referring() -> Json:
        query = _criteria("Patient", names, chance)
        linked = chance.choice([f"Patient?{query}", f"Patient/{chance.choice(PEOPLE)}", "urn:uuid:00000001-0000-4000-8000-000000000000"])
        return _entry("POST", "Observation", observation(None, category="survey", subject={"reference": linked}))

    def by_criteria() -> Json:
        method, type = chance.choice(("PUT", "PATCH", "DELETE")), chance.choice(WRITTEN)
        bodies = {"PUT": _plain(type, chance), "PATCH": patch, "DELETE": None}
        return _entry(method, f"{type}?{_criteria(type, names, chance)}", bodies[method])

    return [
        lambda: _entry("GET", name(), **_entry_match(chance, "ifNoneMatch")),
        lambda: _entry("GET", f"{name()}/_history/1"),
        lambda: _entry("GET", f"{chance.choice(TYPES)}?{_joined('_total=accurate', chance.choice(SHAPES[4:6]))}"),
        lambda: _entry("DELETE", name()),
        lambda: _entry("PATCH", name(), patch),
        replaced,
        created,
        created,
        referring,
        by_criteria,
    ]


def _entry_match(chance: random.Random, element: str = "ifMatch") -> dict[str, str]:
    return chance.choice(({}, {element: 'W/"1"'}, {element: 'W/"2"'}))


def _bundles(type: str, names: Sequence[str], chance: random.Random, writes_max: int) -> Iterator[Question]:
    kinds = _entries([name for name in names if not name.startswith("Consent/")], chance)
    for _ in range(200):
        made = [chance.choice(kinds)() for _ in range(chance.randrange(1, 4))]
        if sum(one["request"]["method"] != "GET" for one in made) > writes_max:
            continue
        body = {"resourceType": "Bundle", "type": type, "entry": made}
        yield Question("POST", "/fhir", _body(body), (FHIR, *chance.choice(((), (SHOWN,)))))


def _batches(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    """Entries run side by side, so which of two writes comes first is left to chance."""
    return _bundles("batch", names, chance, writes_max=1)


def _transactions(names: Sequence[str], chance: random.Random) -> Iterator[Question]:
    return _bundles("transaction", names, chance, writes_max=3)


def _body(resource: Json) -> bytes:
    return json.dumps(resource).encode()
