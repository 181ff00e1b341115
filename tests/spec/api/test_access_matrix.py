"""Every route of the table in every situation: the status, and exactly the audit records that are due.

FHIR.md 0.4: a published matrix of every route by every state of scope and consent; SECURITY 3.4 (6); laws 1 to 3. Nothing
leaves without a record, and a refused read is found under the patient whom it aimed at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import httpx
import pytest

from adapters.discovery import adapters
from hub.routes import ROUTES, RouteRow
from tests.support.backstage import Backstage
from tests.support.caller import FHIR_JSON, Caller
from tests.support.fixtures import Running
from tests.support.resources import ABSENT, observation, patient

Situation = Literal["no token", "bad token", "wrong scope", "right scope", "hidden target", "unknown target", "malformed"]
SITUATIONS: tuple[Situation, ...] = get_args(Situation)
Json = dict[str, Any]

DONE, REFUSED = "0", "4"
LOGIN = "110122"
"""DICOM: what a request without a valid token is recorded as, whatever it wanted."""


@dataclass(frozen=True, slots=True)
class Target:
    """Ids of a patient, and of a reading of hers."""

    patient: str
    reading: str


@dataclass(frozen=True, slots=True)
class Request:
    """`of` gets the target; the token is another matter."""

    path: Callable[[Target], str]
    body: Callable[[Target], bytes | Json | None] = lambda _: None
    content_type: str = FHIR_JSON


@dataclass(frozen=True, slots=True)
class Due:
    """Status and records: (kind, outcome, "own" for the interaction's and "patient" for the patient's)."""

    status: int
    records: tuple[tuple[str, str, str], ...]


def own(kind: str, outcome: str) -> tuple[tuple[str, str, str], ...]:
    return ((kind, outcome, "own"),)


def both(kind: str, outcome: str) -> tuple[tuple[str, str, str], ...]:
    return ((kind, outcome, "own"), (kind, outcome, "patient"))


GENDER, GENDERS = "http://hl7.org/fhir/administrative-gender", "http://hl7.org/fhir/ValueSet/administrative-gender"
TAGGED = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:matrix", "code": "x"}]}}]}
JSON_PATCH = "application/json-patch+json"
AMENDED = b'[{"op": "replace", "path": "/status", "value": "amended"}]'


def transaction(read: str) -> Json:
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": {"method": "GET", "url": read}}]}


def parameters(**given: str) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": name, "valueString": value} for name, value in given.items()]}


WITHINGS = (
    b'{"measuregrps": [{"grpid": %d, "attrib": 0, "date": 1750000000, "category": 1, "measures": [{"value": 71, "type": 1, "unit": 0}]}]}'
)
MATRIX_ID: Json = {"identifier": [{"system": "urn:matrix", "value": "1"}]}
REQUESTS: dict[str, Request] = {
    "read": Request(lambda on: f"/fhir/Observation/{on.reading}"),
    "vread": Request(lambda on: f"/fhir/Observation/{on.reading}/_history/1"),
    "update": Request(lambda on: f"/fhir/Observation/{on.reading}", lambda on: {**observation(on.patient), "id": on.reading}),
    "delete": Request(lambda on: f"/fhir/Observation/{on.reading}"),
    "conditional-update": Request(
        lambda on: f"/fhir/Observation?patient={on.patient}&identifier=urn:matrix|1", lambda on: {**observation(on.patient), **MATRIX_ID}
    ),
    "history-instance": Request(lambda on: f"/fhir/Observation/{on.reading}/_history"),
    "history-type": Request(lambda _: "/fhir/Observation/_history?_since=2126"),
    "history-system": Request(lambda _: "/fhir/_history?_since=2126"),
    "patch": Request(lambda on: f"/fhir/Observation/{on.reading}", lambda _: AMENDED, JSON_PATCH),
    "conditional-patch": Request(lambda on: f"/fhir/Observation?_id={on.reading}", lambda _: AMENDED, JSON_PATCH),
    "conditional-delete": Request(lambda on: f"/fhir/Observation?_id={on.reading}"),
    "transaction": Request(lambda _: "/fhir", lambda on: transaction(f"Observation/{on.reading}")),
    "create": Request(lambda _: "/fhir/Observation", lambda on: observation(on.patient)),
    "search GET": Request(lambda on: f"/fhir/Observation?patient={on.patient}"),
    "search POST": Request(
        lambda _: "/fhir/Observation/_search", lambda on: f"patient={on.patient}".encode(), "application/x-www-form-urlencoded"
    ),
    "search-system GET": Request(lambda on: f"/fhir?_type=Observation&_id={on.reading}"),
    "search-system POST": Request(
        lambda _: "/fhir/_search", lambda on: f"_type=Observation&_id={on.reading}".encode(), "application/x-www-form-urlencoded"
    ),
    "compartment": Request(lambda on: f"/fhir/Patient/{on.patient}/Observation"),
    "userinfo": Request(lambda _: "/oauth/userinfo"),
    "ValueSet/$expand GET": Request(lambda _: f"/fhir/ValueSet/$expand?url={GENDERS}"),
    "ValueSet/$expand POST": Request(lambda _: "/fhir/ValueSet/$expand", lambda _: parameters(url=GENDERS)),
    "ValueSet/$validate-code GET": Request(lambda _: f"/fhir/ValueSet/$validate-code?url={GENDERS}&code=female"),
    "ValueSet/$validate-code POST": Request(lambda _: "/fhir/ValueSet/$validate-code", lambda _: parameters(url=GENDERS, code="female")),
    "CodeSystem/$validate-code GET": Request(lambda _: f"/fhir/CodeSystem/$validate-code?url={GENDER}&code=female"),
    "CodeSystem/$validate-code POST": Request(lambda _: "/fhir/CodeSystem/$validate-code", lambda _: parameters(url=GENDER, code="female")),
    "ValueSet/{id}/$expand GET": Request(lambda _: "/fhir/ValueSet/administrative-gender/$expand"),
    "ValueSet/{id}/$expand POST": Request(lambda _: "/fhir/ValueSet/administrative-gender/$expand", lambda _: parameters(filter="male")),
    "ValueSet/{id}/$validate-code GET": Request(lambda _: "/fhir/ValueSet/administrative-gender/$validate-code?code=female"),
    "ValueSet/{id}/$validate-code POST": Request(
        lambda _: "/fhir/ValueSet/administrative-gender/$validate-code", lambda _: parameters(code="female")
    ),
    "CodeSystem/{id}/$validate-code GET": Request(lambda _: "/fhir/CodeSystem/administrative-gender/$validate-code?code=female"),
    "CodeSystem/{id}/$validate-code POST": Request(
        lambda _: "/fhir/CodeSystem/administrative-gender/$validate-code", lambda _: parameters(code="female")
    ),
    "{type}/$validate GET": Request(lambda _: "/fhir/Observation/$validate"),
    "{type}/$validate POST": Request(lambda _: "/fhir/Observation/$validate", lambda on: observation(on.patient)),
    "{id}/$validate POST": Request(lambda on: f"/fhir/Observation/{on.reading}/$validate", lambda on: observation(on.patient)),
    "{id}/$validate GET": Request(lambda on: f"/fhir/Observation/{on.reading}/$validate"),
    "{type}/$meta GET": Request(lambda _: "/fhir/Observation/$meta"),
    "{id}/$meta GET": Request(lambda on: f"/fhir/Observation/{on.reading}/$meta"),
    "{version_id}/$meta GET": Request(lambda on: f"/fhir/Observation/{on.reading}/_history/1/$meta"),
    "{id}/$meta-add POST": Request(lambda on: f"/fhir/Observation/{on.reading}/$meta-add", lambda _: TAGGED),
    "{id}/$meta-delete POST": Request(lambda on: f"/fhir/Observation/{on.reading}/$meta-delete", lambda _: TAGGED),
    "$everything GET": Request(lambda on: f"/fhir/Patient/{on.patient}/$everything"),
    "$everything POST": Request(lambda on: f"/fhir/Patient/{on.patient}/$everything", lambda _: parameters(_type="Observation")),
    "$measures GET": Request(lambda on: f"/fhir/Patient/{on.patient}/$measures?shape=hddt"),
    "$measures POST": Request(lambda on: f"/fhir/Patient/{on.patient}/$measures", lambda _: parameters(shape="phd")),
    "$lastn GET": Request(lambda on: f"/fhir/Observation/$lastn?patient={on.patient}"),
    "$lastn POST": Request(lambda _: "/fhir/Observation/$lastn", lambda on: parameters(patient=on.patient)),
    "$stats GET": Request(lambda on: f"/fhir/Observation/$stats?subject=Patient/{on.patient}&code=8867-4&statistic=count"),
    "$stats POST": Request(
        lambda _: "/fhir/Observation/$stats", lambda on: parameters(subject=f"Patient/{on.patient}", code="8867-4", statistic="count")
    ),
    "ingest": Request(
        lambda on: f"/ingest/withings?device={on.patient}", lambda on: WITHINGS % (abs(hash(on)) % 10**9), "application/json"
    ),
    "GET /quarantine": Request(lambda _: "/quarantine"),
    "GET /quarantine/counts": Request(lambda _: "/quarantine/counts"),
    "GET /quarantine/{id}": Request(lambda on: f"/quarantine/{on.reading}"),
    "POST /quarantine/replay": Request(lambda _: "/quarantine/replay?adapter=withings&olderThan=3650"),
    "POST /quarantine/{id}/replay": Request(lambda on: f"/quarantine/{on.reading}/replay"),
    "POST /quarantine/discard": Request(
        lambda _: "/quarantine/discard?adapter=withings&olderThan=3650", lambda _: {"reason": "sent twice"}
    ),
    "POST /quarantine/{id}/discard": Request(lambda on: f"/quarantine/{on.reading}/discard", lambda _: {"reason": "sent twice"}),
    "GET /confirm": Request(lambda _: "/confirm"),
    "POST /confirm/{id}/assign": Request(lambda on: f"/confirm/{on.reading}/assign", lambda on: {"patient": f"Patient/{on.patient}"}),
    "POST /confirm/{id}/reject": Request(lambda on: f"/confirm/{on.reading}/reject"),
}
WAITING = tuple(name for name in REQUESTS if "/quarantine" in name or "/confirm" in name)
"""Of what waits: named by their paths, for several of them are recorded under one name."""
BY_NOBODY = tuple(name for name in WAITING if "/confirm" in name)
"""For clients registered to confirm, which none of these is; that it works is shown in tests/e2e/test_confirm.py."""
BAD_GETS = {
    "ValueSet/$expand GET": "/fhir/ValueSet/$expand",
    "ValueSet/$validate-code GET": "/fhir/ValueSet/$validate-code",
    "CodeSystem/$validate-code GET": "/fhir/CodeSystem/$validate-code",
    "ValueSet/{id}/$expand GET": "/fhir/ValueSet/administrative-gender/$expand?count=some",
    "ValueSet/{id}/$validate-code GET": "/fhir/ValueSet/administrative-gender/$validate-code",
    "CodeSystem/{id}/$validate-code GET": "/fhir/CodeSystem/administrative-gender/$validate-code",
    "{type}/$validate GET": "/fhir/Observation/$validate?mode=dance",
    "{id}/$validate GET": f"/fhir/Observation/{ABSENT}/$validate?mode=dance",
    "{type}/$meta GET": "/fhir/Observation/$meta?x=1",
    "{id}/$meta GET": "/fhir/Observation/a_b/$meta",
    "{version_id}/$meta GET": f"/fhir/Observation/{ABSENT}/_history/x/$meta",
}
NONSENSE = (
    "ValueSet/$expand POST",
    "ValueSet/$validate-code POST",
    "CodeSystem/$validate-code POST",
    "ValueSet/{id}/$expand POST",
    "ValueSet/{id}/$validate-code POST",
    "CodeSystem/{id}/$validate-code POST",
    "{type}/$validate POST",
    "{id}/$validate POST",
    "{id}/$meta-add POST",
    "{id}/$meta-delete POST",
)
MALFORMED: dict[str, tuple[str, bytes | None]] = {
    "read": ("/fhir/Observation/a_b", None),
    "vread": (f"/fhir/Observation/{ABSENT}/_history/x", None),
    "update": (f"/fhir/Observation/{ABSENT}", b"{nonsense"),
    "delete": ("/fhir/Observation/a_b", None),
    "conditional-update": ("/fhir/Observation?identifier=urn:matrix|1", b"{nonsense"),
    "history-instance": ("/fhir/Observation/a_b/_history", None),
    "history-type": ("/fhir/Observation/_history?_since=never", None),
    "history-system": ("/fhir/_history?_since=never", None),
    "patch": (f"/fhir/Observation/{ABSENT}", b"{nonsense"),
    "conditional-patch": ("/fhir/Observation?_id=x", b"{nonsense"),
    "conditional-delete": ("/fhir/Observation?_sort=date", None),
    "transaction": ("/fhir", b"{nonsense"),
    "create": ("/fhir/Observation", b"{nonsense"),
    "search GET": ("/fhir/Observation?date=never", None),
    "search POST": ("/fhir/Observation/_search", b"date=never"),
    "search-system GET": ("/fhir?_lastUpdated=never", None),
    "search-system POST": ("/fhir/_search", b"_lastUpdated=never"),
    "compartment": (f"/fhir/Patient/{ABSENT}/Observation?date=never", None),
    "userinfo": ("/oauth/userinfo?access_token=x", None),
    **{name: (path, None) for name, path in BAD_GETS.items()},
    **{name: (REQUESTS[name].path(Target(ABSENT, ABSENT)), b"{nonsense") for name in NONSENSE},
    "$everything GET": (f"/fhir/Patient/{ABSENT}/$everything?start=never", None),
    "$everything POST": (f"/fhir/Patient/{ABSENT}/$everything", b"{nonsense"),
    "$measures GET": (f"/fhir/Patient/{ABSENT}/$measures?shape=nonsense", None),
    "$measures POST": (f"/fhir/Patient/{ABSENT}/$measures", b"{nonsense"),
    "$lastn GET": ("/fhir/Observation/$lastn?max=0", None),
    "$lastn POST": ("/fhir/Observation/$lastn", b"{nonsense"),
    "$stats GET": ("/fhir/Observation/$stats?statistic=mode", None),
    "$stats POST": ("/fhir/Observation/$stats", b"{nonsense"),
    "ingest": ("/ingest/withings", b"nonsense"),
    "GET /quarantine": ("/quarantine?nonsense=1", None),
    "GET /quarantine/counts": ("/quarantine/counts?nonsense=1", None),
    "GET /quarantine/{id}": (f"/quarantine/{ABSENT}?nonsense=1", None),
    "POST /quarantine/replay": ("/quarantine/replay?nonsense=1", None),
    "POST /quarantine/{id}/replay": (f"/quarantine/{ABSENT}/replay?nonsense=1", None),
    "POST /quarantine/discard": ("/quarantine/discard?nonsense=1", None),
    "POST /quarantine/{id}/discard": (f"/quarantine/{ABSENT}/discard?nonsense=1", None),
    "GET /confirm": ("/confirm?nonsense=1", None),
    "POST /confirm/{id}/assign": (f"/confirm/{ABSENT}/assign?nonsense=1", None),
    "POST /confirm/{id}/reject": (f"/confirm/{ABSENT}/reject?nonsense=1", None),
}
NOBODYS = tuple(name for name in REQUESTS if name.startswith(("ValueSet/", "CodeSystem/", "{type}/")) or name == "{id}/$validate POST")
OPERATIONS = tuple(name for name in REQUESTS if name.startswith("$"))
OF_PATIENT = ("$everything GET", "$everything POST", "$measures GET", "$measures POST")
OF_ONE = {"{id}/$validate GET": "read", "{id}/$meta GET": "read", "{version_id}/$meta GET": "vread"}
OF_ONE |= {"{id}/$meta-add POST": "patch", "{id}/$meta-delete POST": "patch"}
"""Operations that are recorded as what they do to the resource."""
OF_ALL = frozenset({"{type}/$meta GET"})
"""They concern every patient that the caller may see, those of other tests among them."""
WORDS = {last: last for last in ("replay", "discard", "assign", "reject")}
KINDS = {
    "search GET": "search-type",
    "search POST": "search-type",
    "search-system GET": "search-system",
    "search-system POST": "search-system",
    **dict.fromkeys((*OPERATIONS, *NOBODYS), "operation"),
    "conditional-update": "update",
    "conditional-patch": "patch",
    "conditional-delete": "delete",
    "compartment": "search-type",
    **OF_ONE,
    **{name: f"{'quarantine' if '/quarantine' in name else 'confirm'}-{WORDS.get(name.rpartition('/')[2], 'list')}" for name in WAITING},
}
"""What the log calls it, where that is another word."""

RIGHT: dict[str, Due] = {
    "read": Due(200, both("read", DONE)),
    "vread": Due(200, both("vread", DONE)),
    "update": Due(200, both("update", DONE)),
    "delete": Due(204, both("delete", DONE)),
    "conditional-update": Due(201, both("update", DONE)),
    "history-instance": Due(200, both("history-instance", DONE)),
    "history-type": Due(200, own("history-type", DONE)),
    "history-system": Due(200, own("history-system", DONE)),
    "patch": Due(200, both("patch", DONE)),
    "conditional-patch": Due(200, both("patch", DONE)),
    "conditional-delete": Due(204, both("delete", DONE)),
    "transaction": Due(200, both("transaction", DONE)),
    "create": Due(201, both("create", DONE)),
    "search GET": Due(200, both("search-type", DONE)),
    "search POST": Due(200, both("search-type", DONE)),
    "search-system GET": Due(200, both("search-system", DONE)),
    "search-system POST": Due(200, both("search-system", DONE)),
    **{name: Due(200, both("operation", DONE)) for name in OPERATIONS},
    **{name: Due(200, own("operation", DONE)) for name in NOBODYS},
    "{type}/$validate GET": Due(400, own("operation", REFUSED)),
    "{type}/$meta GET": Due(200, both("operation", DONE)),
    **{name: Due(200, both(kind, DONE)) for name, kind in OF_ONE.items()},
    "compartment": Due(200, both("search-type", DONE)),
    "userinfo": Due(403, own("userinfo", REFUSED)),
    "ingest": Due(200, both("ingest", DONE)),
    **{name: Due(404 if "{id}" in name else 200, own(KINDS[name], REFUSED if "{id}" in name else DONE)) for name in WAITING},
    **{name: Due(403, own(KINDS[name], REFUSED)) for name in BY_NOBODY},
}
"""userinfo is about persons, and here clients act by themselves. Nothing waits in quarantine; that replaying works is shown in
tests/e2e/test_ingest_quarantine.py."""
HIDDEN: dict[str, Due] = {
    "read": Due(404, both("read", REFUSED)),
    "vread": Due(404, both("vread", REFUSED)),
    "update": Due(404, both("update", REFUSED)),
    "delete": Due(404, both("delete", REFUSED)),
    "conditional-update": Due(422, both("update", REFUSED)),
    "history-instance": Due(404, both("history-instance", REFUSED)),
    "patch": Due(404, both("patch", REFUSED)),
    "conditional-patch": Due(404, both("patch", REFUSED)),
    "conditional-delete": Due(404, both("delete", REFUSED)),
    "transaction": Due(404, both("transaction", REFUSED)),
    "create": Due(422, both("create", REFUSED)),
    "search GET": Due(200, both("search-type", DONE)),
    "search POST": Due(200, both("search-type", DONE)),
    "search-system GET": Due(200, both("search-system", DONE)),
    "search-system POST": Due(200, both("search-system", DONE)),
    **{name: Due(200, both("operation", DONE)) for name in OPERATIONS if name not in OF_PATIENT},
    **dict.fromkeys(OF_PATIENT, Due(404, both("operation", REFUSED))),
    **{name: Due(404, both(kind, REFUSED)) for name, kind in OF_ONE.items()},
    "compartment": Due(200, both("search-type", DONE)),
    "ingest": Due(200, both("ingest", DONE)),
}
UNKNOWN: dict[str, Due] = {
    "read": Due(404, both("read", REFUSED)),
    "vread": Due(404, both("vread", REFUSED)),
    "update": Due(404, both("update", REFUSED)),
    "delete": Due(404, both("delete", REFUSED)),
    "conditional-update": Due(422, both("update", REFUSED)),
    "history-instance": Due(404, both("history-instance", REFUSED)),
    "patch": Due(404, both("patch", REFUSED)),
    "conditional-patch": Due(404, both("patch", REFUSED)),
    "conditional-delete": Due(404, both("delete", REFUSED)),
    "transaction": Due(404, both("transaction", REFUSED)),
    "create": Due(422, both("create", REFUSED)),
    "search GET": Due(200, both("search-type", DONE)),
    "search POST": Due(200, both("search-type", DONE)),
    "search-system GET": Due(200, both("search-system", DONE)),
    "search-system POST": Due(200, both("search-system", DONE)),
    **{name: Due(200, both("operation", DONE)) for name in OPERATIONS if name not in OF_PATIENT},
    **dict.fromkeys(OF_PATIENT, Due(404, both("operation", REFUSED))),
    **{name: Due(404, both(kind, REFUSED)) for name, kind in OF_ONE.items()},
    "compartment": Due(200, both("search-type", DONE)),
    "ingest": Due(200, own("ingest", DONE)),
    **{name: Due(404, own(KINDS[name], REFUSED)) for name in WAITING if "{id}" in name and name not in BY_NOBODY},
}
"""As many records for absent as for hidden, under a pseudonym that is nobody's: else the time would tell them apart."""
BADLY: dict[str, Due] = {name: Due(400, own(KINDS.get(name, name), REFUSED)) for name in REQUESTS}
BADLY |= {name: Due(400, own("operation", REFUSED)) for name in OF_ONE}
BADLY |= {"{id}/$meta GET": Due(404, both("read", REFUSED)), "{version_id}/$meta GET": Due(404, both("vread", REFUSED))}
BADLY |= {name: Due(404, both(name, REFUSED)) for name in ("read", "vread", "delete", "history-instance")}
"""An id or a version that there cannot be names something absent."""

OPEN: dict[str, Due] = {
    "welcome": Due(200, ()),
    "docs": Due(200, ()),
    "docs-type": Due(200, ()),
    "openapi": Due(200, ()),
    "brands": Due(200, ()),
    "client-register": Due(400, own("client-register", REFUSED)),
    **{f"client-configuration{act}": Due(401, own("110122", REFUSED)) for act in ("", "-change", "-delete")},
    "livez": Due(200, ()),
    "readyz": Due(200, ()),
    "token": Due(400, own("ITI-71", REFUSED)),
    "authorize": Due(400, own("authorize", REFUSED)),
    "par": Due(401, own("authorize", REFUSED)),
    "device-authorization": Due(401, own("authorize", REFUSED)),
    "introspect": Due(401, own("token-introspected", REFUSED)),
    "revoke": Due(401, own("token-revoked", REFUSED)),
    "launch-open": Due(401, own("launch-open", REFUSED)),
    "jwks": Due(200, ()),
    "openid-configuration": Due(200, ()),
    "oauth-authorization-server": Due(200, ()),
    "credential-enrol": Due(401, own("110122", REFUSED)),
    "capabilities": Due(200, ()),
    "smart-configuration": Due(200, ()),
    "webhook": Due(401, own("110122", REFUSED)),
    "webhook-test": Due(200, ()),
    "console-sign-in-page": Due(200, ()),
    "console-sign-in": Due(403, own("110122", REFUSED)),
    "sign-in-page": Due(200, ()),
    "second-factor-page": Due(303, ()),
    "invitation-page": Due(403, ()),
    "federated-back": Due(404, own("sign-in-refused", REFUSED)),
    **dict.fromkeys(("sign-in", "second-factor", "invitation", "federated"), Due(403, own("sign-in-refused", REFUSED))),
    "cloud-link-page": Due(404, ()),
    "cloud-link": Due(403, own("110122", REFUSED)),
    "cloud-callback": Due(403, own("110122", REFUSED)),
}
"""Routes that need no token and show no data: nothing is recorded but requests for tokens and calls that prove nothing."""


TERMINOLOGY = ("ValueSet", "CodeSystem")
ALONE = ("$lastn", "$stats", "$everything", "$measures")


def name_of(row: RouteRow) -> str:
    if row.interaction == "operation":
        *_, of, before, last = row.path.split("/")
        if of in TERMINOLOGY:
            return f"{of}/{before}/{last} {row.method}"
        return f"{last if last in ALONE else f'{before}/{last}'} {row.method}"
    if row.interaction == "search-compartment":
        return "compartment"
    if row.path.startswith(("/quarantine", "/confirm")):
        return f"{row.method} {row.path}"
    return f"{row.interaction} {row.method}" if row.interaction.startswith("search") else row.interaction


def due(name: str, situation: Situation) -> Due | None:
    """None where there is no such thing: the list of one's own waiting items has no target."""
    match situation:
        case "no token" | "bad token":
            return Due(401, own(LOGIN, REFUSED))
        case "wrong scope":
            return Due(403, own(KINDS.get(name, name), REFUSED))
        case "right scope":
            return RIGHT[name]
        case "hidden target":
            return HIDDEN.get(name)
        case "unknown target":
            return UNKNOWN.get(name)
        case "malformed":
            return BADLY[name]


GUARDED = [row for row in ROUTES if row.guard == "fhir"]
MATRIX = [(row, situation) for row in GUARDED for situation in SITUATIONS if due(name_of(row), situation) is not None]


def test_the_matrix_has_every_route() -> None:
    """A route that is added without a line here is a failure, not an oversight."""
    assert {name_of(row) for row in GUARDED} == set(REQUESTS) == set(RIGHT) == set(MALFORMED)
    assert {row.interaction for row in ROUTES if row.guard == "open"} == set(OPEN)


@pytest.fixture(scope="module")
def seen(ehr: Caller, backstage: Backstage) -> Target:
    """Hers is seen by `ehr`, and hidden from `stranger`."""
    made = ehr.create(patient())
    backstage.pair(adapters()["withings"].manifest.identifier_system, made["id"], f"Patient/{made['id']}", from_us=0)
    return Target(made["id"], ehr.create(observation(made["id"]))["id"])


def send(row: RouteRow, situation: Situation, on: Target, caller: Caller) -> httpx.Response:
    name = name_of(row)
    request = REQUESTS[name]
    path, body = (request.path(on), request.body(on)) if situation != "malformed" else MALFORMED[name]
    headers = {"Content-Type": request.content_type}
    match situation:
        case "no token":
            authorization = {}
        case "bad token":
            authorization = {"Authorization": f"Bearer {caller.token}x"}
        case _:
            authorization = {"Authorization": f"Bearer {caller.token}"}
    sent = {"json": body} if isinstance(body, dict) else {"content": body}
    return caller.http.request(row.method, path, headers={**headers, **authorization}, **sent)  # type: ignore[arg-type]


@pytest.mark.parametrize(("row", "situation"), MATRIX, ids=lambda one: name_of(one) if isinstance(one, RouteRow) else one)
def test_each_route_in_each_situation_answers_and_is_recorded(
    row: RouteRow, situation: Situation, seen: Target, ehr: Caller, stranger: Caller, backstage: Backstage
) -> None:
    """Laws 1 to 3: the decision, the record, and no difference between hidden and absent."""
    expected = due(name_of(row), situation)
    assert expected is not None
    # Of the system everything may be searched that some scope names: to be out of it is to have none to search with.
    another = "system/Practitioner.crud" if row.interaction == "history-system" else "system/Practitioner.cruds"
    caller = {"wrong scope": ehr.narrowed(another), "hidden target": stranger}.get(situation, ehr)
    on = Target(ABSENT, ABSENT) if situation == "unknown target" else seen
    if row.interaction in ("delete", "conditional-delete") and situation == "right scope":
        on = Target(seen.patient, ehr.create(observation(seen.patient))["id"])  # the others need theirs
    answer = send(row, situation, on, caller)
    assert answer.status_code == expected.status, answer.text
    records = backstage.records(answer.headers["x-request-id"])
    if name_of(row) in OF_ALL:
        records = [one for one in records if one.patient in {None, backstage.patient_token(on.patient)}]
    assert tuple((one.kind, one.outcome, "own" if one.patient is None else "patient") for one in records) == expected.records
    if situation in ("right scope", "hidden target"):
        assert {one.patient for one in records} <= {None, backstage.patient_token(on.patient)}
    if situation in ("no token", "bad token"):
        assert not {one["altId"] for record in records for one in record.event["agent"] if "altId" in one}
    else:
        assert {one["altId"] for record in records for one in record.event["agent"] if "altId" in one} == {caller.account.id}


@pytest.mark.parametrize("row", [row for row in ROUTES if row.guard == "open"], ids=lambda row: str(row.interaction))
def test_open_routes_answer_everybody_and_show_no_data(row: RouteRow, http: httpx.Client, backstage: Backstage) -> None:
    expected, log = OPEN[row.interaction], backstage.admin["hub_audit"]["records"]
    before = log.count_documents({})
    answer = http.request(
        row.method,
        row.path.format(type="Observation", adapter="withings", provider="nobody", id="nobody"),
        data={"x": "y"} if row.method == "POST" else None,
    )
    assert answer.status_code == expected.status
    assert log.count_documents({}) - before == len(expected.records)
    if expected.records:
        records = backstage.records(answer.headers["x-request-id"])
        assert tuple((one.kind, one.outcome, "own") for one in records) == expected.records


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/fhir/nowhere/at/all/of/it", 404),
        ("DELETE", "/fhir/Patient/x/_history/1", 405),
        ("PUT", "/ingest/withings", 405),
        ("POST", "/quarantine", 405),
    ],
)
@pytest.mark.parametrize("situation", ["no token", "right scope"])
def test_what_is_no_route_is_recorded_too(method: str, path: str, status: int, situation: str, ehr: Caller, backstage: Backstage) -> None:
    """SECURITY 3.4 (6): denials are recorded the same way."""
    answer = ehr.request(method, path) if situation == "right scope" else ehr.http.request(method, path)
    assert answer.status_code == status
    assert [one.outcome for one in backstage.records(answer.headers["x-request-id"])] == [REFUSED]


def test_a_refused_read_is_found_under_the_patient_by_the_command(running: Running, seen: Target, stranger: Caller) -> None:
    """DESIGN 6: refused attempts are recorded under the patient they aimed at."""
    stranger.get(f"Observation/{seen.reading}")
    done = running.process.command(
        "audit", "query", "--patient", f"Patient/{seen.patient}", "--client", stranger.account.id, "--outcome", REFUSED, "--json"
    )
    assert done.code == 0, done.err
    found = done.json()
    assert found
    kinds = {"read", "vread", "update", "patch", "delete", "create", "operation", "history-instance", "transaction"}
    assert {one["what"] for one in found} <= kinds
    assert all(one["client"] == f"stranger ({stranger.account.id})" for one in found)


@pytest.mark.parametrize("row", [row for row in ROUTES if row.guard == "desk"], ids=lambda row: str(row.interaction))
def test_pages_of_the_console_lead_whoever_has_no_session_to_the_sign_in(row: RouteRow, http: httpx.Client, ehr: Caller) -> None:
    """A token of the API is no session, and a cookie that nobody made is none either."""
    for headers in ({}, {"Authorization": f"Bearer {ehr.token}"}, {"Cookie": f"hub-console={'x' * 43}"}):
        answer = http.request(
            row.method, row.path.format(id=ABSENT, act="revoke"), headers=headers, data={"x": "y"} if row.method == "POST" else None
        )
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/console/sign-in?")
        assert answer.content == b""


@pytest.mark.parametrize("row", [row for row in ROUTES if row.guard == "person"], ids=lambda row: str(row.interaction))
def test_pages_for_people_lead_whoever_has_no_session_to_the_sign_in(row: RouteRow, http: httpx.Client, ehr: Caller) -> None:
    """A token of the API is no session, and a cookie that nobody made is none either."""
    for headers in ({}, {"Authorization": f"Bearer {ehr.token}"}, {"Cookie": f"hub-person={'x' * 43}"}):
        answer = http.request(
            row.method, row.path.format(id=ABSENT, act="revoke"), headers=headers, data={"x": "y"} if row.method == "POST" else None
        )
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/account/sign-in?")
        assert answer.content == b""
