"""Requests, right ones and wrong ones, for everything that the FHIR API has or might have. All from one seed."""

from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from fhir_profiles.definitions import RESOURCE_TYPES as EVERY_TYPE
from hub.search.parameters import RESOURCE_TYPES
from tests.fuzz.mutations import damaged, dumped, mutated, odd
from tests.fuzz.resources import CANARY, Maker

Json = dict[str, Any]

FHIR_JSON = "application/fhir+json"
TYPES = sorted(RESOURCE_TYPES)
FAVOURITES = tuple(
    name for name in ("Patient", "Observation", "Observation", "Observation", "Device", "Consent", "Flag") if name in RESOURCE_TYPES
)
MODIFIERS = [
    "exact",
    "contains",
    "missing",
    "not",
    "text",
    "of-type",
    "in",
    "not-in",
    "above",
    "below",
    "identifier",
    "iterate",
    "Patient",
    "Observation",
    "nonsense",
    "type",
]
PREFIXES = ("", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "xx")
OPERATIONS = (
    "$validate",
    "$everything",
    "$measures",
    "$lastn",
    "$stats",
    "$meta",
    "$meta-add",
    "$meta-delete",
    "$expand",
    "$validate-code",
    "$nonsense",
)
VALUES = (
    "http://loinc.org|8867-4",
    "8867-4",
    "|8867-4",
    "http://loinc.org|",
    "2026",
    "2026-03-01",
    "2026-03-01T10:00:00Z",
    "2026-02-30",
    "71",
    "7.1e1",
    "5.4|http://unitsofmeasure.org|mg",
    "5||mg",
    "true",
    "Es",
    "Patient/x",
    "http://loinc.org|8480-6$gt60",
    "a\\,b",
    "a\\",
    "a,b,,c",
    "a|b|c|d",
    "$",
    "1e999",
    "-",
    "�",
)
RESULTS = [
    "_count=0",
    "_count=1",
    "_count=2",
    "_count=-1",
    "_count=x",
    "_count=99999999999",
    "_sort=_id",
    "_sort=-_lastUpdated,_id",
    "_sort=nonsense",
    "_sort=",
    "_total=accurate",
    "_total=none",
    "_total=estimate",
    "_total=x",
    "_summary=true",
    "_summary=text",
    "_summary=data",
    "_summary=count",
    "_summary=false",
    "_summary=x",
    "_elements=id,status",
    "_elements=x.y",
    "_elements=",
    "_include=*",
    "_include=Observation:subject",
    "_include=Observation:*",
    "_include:iterate=Observation:device",
    "_revinclude=Observation:subject",
    "_revinclude=*",
    "_include=x",
    "_contained=true",
    "_containedType=x",
    "_page=nonsense",
    "_page=",
    "_explain=true",
    "_format=json",
    "_format=xml",
    "_format=x",
    "_pretty=true",
    "_type=Patient,Observation",
    "_type=x",
    "_since=2026",
    "_since=x",
    "_at=2026",
    "_at=x",
    "_text=x",
    "_content=x",
    "_filter=x",
    "_list=x",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`writes`: the place that is written to if this succeeds, "" where the hub chooses it, None for no plain write."""

    kind: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    writes: str | None = None


class Requests:
    """`places`: what has been made so far, by type; grows while requests are made."""

    def __init__(self, random: Random, places: dict[str, list[str]], patient: str) -> None:
        self._random, self.places, self._patient = random, places, patient
        self._maker = Maker(random, places)
        self._kinds = {
            self._read: 8,
            self._search: 18,
            self._create: 12,
            self._update: 8,
            self._bytes: 3,
            self._delete: 2,
            self._patch: 6,
            self._history: 4,
            self._bundle: 7,
            self._operation: 4,
            self._nonsense: 4,
        }

    def next(self) -> Request:
        made: Request = self._random.choices(list(self._kinds), list(self._kinds.values()))[0]()
        return self._with_headers(made) if self._random.random() < 0.25 else made

    def valid(self, type: str) -> Json:
        return self._maker.resource(type, self._patient)

    def _read(self) -> Request:
        path = self._place() if self._random.random() < 0.7 else f"{self._type()}/{self._id()}"
        if self._random.random() < 0.3:
            path += f"/_history/{self._random.choice(('1', '2', '0', '-1', 'x', '999999999999', '1/2', ''))}"
        return Request(kind="read", method=self._random.choice(("GET", "GET", "GET", "HEAD")), path=path)

    def _search(self) -> Request:
        type, random = self._type(), self._random
        pairs = [self._pair(type) for _ in range(random.choice((0, 1, 1, 1, 2, 3, 40)))]
        query = "&".join([*pairs, *random.choices(RESULTS, k=random.choice((0, 0, 1, 2)))])
        match random.randrange(10):
            case 0:
                return Request(
                    kind="search",
                    method="POST",
                    path=f"{type}/_search",
                    body=query.encode(),
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                )
            case 1:
                return Request(kind="search", method="GET", path=f"{self._place()}/{random.choice((type, '*', 'x'))}?{query}")
            case 2:
                return Request(kind="search", method="GET", path=f"?{query}")
            case _:
                return Request(kind="search", method="GET", path=f"{type}?{query}")

    def _pair(self, type: str) -> str:
        random, rows = self._random, RESOURCE_TYPES[type].parameters
        name = random.choice((*rows, "_tag", "_profile", "_security", "_source", "nonsense"))
        shape = random.random()
        if shape < 0.15:
            name += f":{random.choice(MODIFIERS)}"
        elif shape < 0.25:
            name += random.choice((".name", ":Patient.name", ".identifier", ":Patient.organization.name", "..", ".x", ":Device"))
        elif shape < 0.32:
            name = random.choice(
                ("_has:Observation:patient:code", "_has:Observation:subject:_id", "_has:x:y:z", "_has:Consent:patient:status", "_has")
            )
        value = random.choice(PREFIXES) + self._value()
        return f"{name}={value if random.random() < 0.1 else quote(value)}"

    def _value(self) -> str:
        random, shape = self._random, self._random.random()
        if shape < 0.6:
            return random.choice(VALUES)
        if shape < 0.8:
            return self._place()
        text = str(odd(random)).encode(errors="replace").decode()
        return text[:3_000] if shape < 0.95 else CANARY + "," * 300

    def _create(self) -> Request:
        type = self._type() if self._random.random() < 0.7 else self._random.choice(sorted(EVERY_TYPE))
        body, headers = self._body(self.valid(type))
        if self._random.random() < 0.15:
            headers["If-None-Exist"] = self._random.choice(
                ("identifier=a|b", f"_id={self._id()}", "nonsense=1", "", self._pair(self._type()))
            )
        return Request(kind="create", method="POST", path=type, body=body, headers=headers, writes="")

    def _update(self) -> Request:
        place = self._place() if self._random.random() < 0.85 else f"{self._type()}/{self._id()}"
        type, _, id = place.partition("/")
        body, headers = self._body({**self.valid(type), "id": id} if type in EVERY_TYPE else {"id": id})
        if self._random.random() < 0.1:
            return Request(kind="update", method="PUT", path=f"{type}?{self._pair(self._type())}", body=body, headers=headers, writes="")
        return Request(kind="update", method="PUT", path=place, body=body, headers=headers, writes=place)

    def _bytes(self) -> Request:
        """A Binary by its bytes, or read as them."""
        random, place = self._random, self._place("Binary")
        if random.random() < 0.3:
            path = place + random.choice(("", "", "/_history/1", "?_pretty=true", "?_summary=true", "?_format=xml"))
            return Request(kind="bytes", method=random.choice(("GET", "HEAD")), path=path, headers={"Accept": random.choice(ACCEPTED)})
        body, more = damaged(random, dumped(self._perhaps_wrong(self.valid("Binary"))))
        headers = {**more, "Content-Type": random.choice(BYTES)}
        if random.random() < 0.9:
            headers["X-Security-Context"] = (
                self._patient if random.random() < 0.7 else random.choice((self._place(), "x", "", CANARY, "%ff"))
            )
        if random.random() < 0.5:
            return Request(kind="bytes", method="POST", path="Binary", body=body, headers=headers, writes="")
        return Request(kind="bytes", method="PUT", path=place, body=body, headers=headers, writes=place)

    def _delete(self) -> Request:
        if self._random.random() < 0.2:
            return Request(kind="delete", method="DELETE", path=f"{self._type()}?{self._pair(self._type())}", writes="")
        place = self._place("Observation")
        return Request(kind="delete", method="DELETE", path=place, writes=place)

    def _patch(self) -> Request:
        place, random = self._place(), self._random
        if random.random() < 0.5:
            operations = [
                {
                    "op": random.choice(("add", "remove", "replace", "move", "copy", "test", "x")),
                    "path": random.choice(
                        ("/status", "/code/coding/0/code", "/note", "/note/-", "/x/y", "", "/", "x", "/id", "/meta", "/a~2")
                    ),
                    "from": random.choice(("/status", "/code", "/x", "")),
                    "value": odd(random) if random.random() < 0.5 else random.choice(("final", "amended", {"text": CANARY})),
                }
                for _ in range(random.choice((0, 1, 1, 2, 5)))
            ]
            document: Any = operations if random.random() < 0.9 else odd(random)
            return Request(
                kind="patch",
                method="PATCH",
                path=place,
                body=dumped(document),
                headers={"Content-Type": "application/json-patch+json"},
                writes=place,
            )
        type = place.partition("/")[0]
        parts = [
            {"name": "type", "valueCode": random.choice(("add", "insert", "delete", "replace", "move", "x"))},
            {
                "name": "path",
                "valueString": random.choice((f"{type}.status", type, f"{type}.code", "x", "", "1+", f"{type}.id", f"{type}.where(true)")),
            },
            {"name": "name", "valueString": random.choice(("status", "note", "x", "id"))},
            {"name": "value", "valueCode": random.choice(("final", "amended", CANARY))},
            {"name": "index", "valueInteger": random.choice((0, 1, -1, 99))},
        ]
        chosen = random.sample(parts, random.randrange(1, 6))
        parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": chosen}]}
        body, headers = self._body(parameters)
        return Request(kind="patch", method="PATCH", path=place, body=body, headers=headers, writes=place)

    def _history(self) -> Request:
        query = "&".join(self._random.choices([one for one in RESULTS if one[1:3] in ("co", "si", "at", "so", "pa", "fo")], k=2))
        where = self._random.choice((f"{self._place()}/", f"{self._type()}/", ""))
        return Request(kind="history", method="GET", path=f"{where}_history?{query}")

    def _bundle(self) -> Request:
        random = self._random
        entries = [self._entry(number) for number in range(random.choice((0, 1, 2, 3, 8)))]
        bundle: Json = {
            "resourceType": "Bundle",
            "type": random.choice(("batch", "transaction", "transaction", "collection")),
            "entry": entries,
        }
        body, headers = self._body(bundle)
        return Request(kind="bundle", method="POST", path="", body=body, headers=headers, writes="")

    def _entry(self, number: int) -> Json:
        random, type = self._random, random_type(self._random)
        made: Json = {"fullUrl": random.choice((f"urn:uuid:0b1f0c1e-0000-4000-8000-{number:012}", "urn:uuid:x", "", self._place()))}
        method = random.choice(("POST", "POST", "PUT", "GET", "DELETE", "PATCH", "HEAD", "x"))
        url = {"POST": type, "GET": random.choice((self._place(), f"{type}?{self._pair(type)}"))}.get(method, self._place())
        made["request"] = {"method": method, "url": random.choice((url, url, url, "", "x", f"{type}?{self._pair(type)}"))}
        if method in ("POST", "PUT", "PATCH"):
            made["resource"] = self._perhaps_wrong({**self.valid(type), **({"id": url.rpartition("/")[2]} if method == "PUT" else {})})
        if random.random() < 0.2:
            name = random.choice(("ifNoneExist", "ifMatch", "ifNoneMatch", "ifModifiedSince"))
            made["request"][name] = random.choice(('W/"1"', "identifier=a|b", "x", odd(random)))
        return made

    def _operation(self) -> Request:
        random = self._random
        where = random.choice((f"{self._place()}/", f"{self._type()}/", "", "ValueSet/", "Observation/", "Patient/"))
        name = random.choice(OPERATIONS)
        if random.random() < 0.5:
            query = "&".join(
                random.choices((*RESULTS, "max=2", "max=x", "start=2026", "end=x", "mode=create", "profile=x", "statistic=average"), k=2)
            )
            return Request(kind="operation", method="GET", path=f"{where}{name}?{query}")
        parameters: Json = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": self.valid(self._type())}]}
        body, headers = self._body(parameters if random.random() < 0.7 else self.valid(self._type()))
        return Request(
            kind="operation", method="POST", path=f"{where}{name}", body=body, headers=headers, writes="" if "meta-" in name else None
        )

    def _nonsense(self) -> Request:
        random = self._random
        path = random.choice(
            (
                "%00",
                "%ff",
                "..",
                "Patient/..%2f",
                "Patient//x",
                "a/b/c/d/e",
                "metadata/x",
                "%E2%80%AE",
                "Patient/" + "x" * 3_000,
                "Patient;a=b",
            )
        )
        method = random.choice(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"))
        return Request(kind="nonsense", method=method, path=path, body=dumped(odd(random)) if method == "POST" else None, writes="")

    def _body(self, resource: Json) -> tuple[bytes, dict[str, str]]:
        """Mostly right or nearly right; sometimes bytes that are no JSON at all."""
        plain = {"Content-Type": FHIR_JSON}
        if self._random.random() < 0.12:
            body, headers = damaged(self._random, dumped(resource))
            return body, {**plain, **headers}
        return dumped(self._perhaps_wrong(resource)), plain

    def _perhaps_wrong(self, resource: Json) -> Json:
        return resource if self._random.random() < 0.4 else mutated(self._random, resource, self._random.choice((1, 1, 1, 2, 4)))

    def _with_headers(self, request: Request) -> Request:
        random = self._random
        name, values = random.choice(HEADERS)
        return Request(
            kind=request.kind,
            method=request.method,
            path=request.path,
            headers={**request.headers, name: random.choice(values)},
            body=request.body,
            writes=request.writes,
        )

    def _type(self) -> str:
        return random_type(self._random)

    def _place(self, type: str | None = None) -> str:
        """Of something that was made, mostly."""
        known = self.places.get(type or self._random.choice(sorted(self.places)), ())
        return self._random.choice(known) if known and self._random.random() < 0.9 else f"{type or self._type()}/{self._id()}"

    def _id(self) -> str:
        return self._random.choice(("0" * 22, "x", "a.b-c", "X" * 64, "x" * 65, "a_b", "%20", "1", "nonsense%00", "*"))


def random_type(random: Random) -> str:
    return random.choice(FAVOURITES) if random.random() < 0.6 else random.choice(TYPES)


ACCEPTED = ("*/*", "", "application/pdf", "text/*", "application/json, */*;q=0.1", "application/fhir+xml;q=0.5, */*;q=0.4", "x;q=0", ",;=")
BYTES = (
    *("application/pdf", "text/html", "image/svg+xml; a=b", 'text/plain; charset="a b"', "multipart/mixed; boundary=" + "x" * 300),
    *("application/fhir+json", "application/json", "text/xml", "application/x-www-form-urlencoded"),
    *("", "x", "*/*", "a/b;", f"{CANARY}/{CANARY};{CANARY}", "application/fhir+json; fhirVersion=5.0"),
)
HEADERS = (
    ("X-Security-Context", ("Patient/x", "x", "")),
    (
        "Accept",
        ("application/fhir+xml", "application/json", "text/html", "*/*;q=0.1", "nonsense", "", "application/fhir+json;fhirVersion=4.0"),
    ),
    ("Content-Type", ("application/json", "text/plain", "application/fhir+json;charset=latin-1", "", "x")),
    ("Prefer", ("return=minimal", "return=OperationOutcome", "handling=lenient", "handling=strict", "return=x", ",,;;=", "respond-async")),
    ("If-Match", ('W/"1"', 'W/"2"', '"1"', "*", "x", 'W/"1", W/"2"', 'W/"999999999999999999"', "")),
    ("If-None-Match", ('W/"1"', "*", "x", 'W/"1",W/"2"', "")),
    ("If-Modified-Since", ("Sun, 22 Nov 2026 12:00:00 GMT", "x", "2026", "")),
    ("If-None-Exist", ("identifier=a|b", "x", "", "%", "_id=1")),
    ("X-Provenance", ('{"resourceType": "Provenance"}', "x", "{}", "[]", "")),
    ("X-Request-Id", ("a", "x" * 5_000, "")),
    ("Authorization", ("Bearer x", "Basic eDp4", "", "Bearer", "Bearer " + "x" * 5_000)),
    ("Accept-Charset", ("latin-1", "utf-8")),
    ("Content-Encoding", ("gzip", "x")),
    ("Range", ("bytes=0-1",)),
    ("X-HTTP-Method-Override", ("DELETE",)),
)
