"""Sends what was invented and looks at what comes back. What must hold of every answer is in `problems`."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import orjson

from hub.reference.schemas import ISSUE_TYPES
from tests.fuzz.requests import FHIR_JSON, Request, Requests
from tests.fuzz.resources import CANARY
from tests.support.caller import Caller
from tests.support.resources import patient

Json = dict[str, Any]

HANG_S = 120
"""A request that takes longer hangs, also on a busy machine."""
PLACED = frozenset({"required", "invariant", "code-invalid", "value", "structure"})
"""Codes that say something about a place in a body or a query."""
TLS = ssl.create_default_context()


@dataclass(slots=True)
class Report:
    """What was sent, what came, what must not have come."""

    sent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest: str = ""
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Fuzzer:
    """One client with patients of its own, so that what it may expect depends on nobody else."""

    caller: Caller
    seed: int
    report: Report
    versions: dict[str, int] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    async def run(self, http: httpx.AsyncClient, number: int) -> None:
        self.caller.token  # noqa: B018 - asked for here, outside the loop of requests
        person = self.caller.create(patient(CANARY))
        places = {"Patient": [f"Patient/{person['id']}"]}
        self.versions[places["Patient"][0]] = 1
        requests = Requests(Random(self.seed), places, places["Patient"][0])
        for _ in range(number):
            request = requests.next()
            answer, seconds = await self._send(http, request)
            self.report.sent += 1
            if seconds > self.report.slowest_s:
                self.report.slowest_s, self.report.slowest = seconds, shown(request)
            if answer is None:
                continue
            self.report.statuses[f"{request.kind} {answer.status_code}"] += 1
            self.report.problems += [f"{problem} | {shown(request)} | {answer.text[:400]}" for problem in problems(request, answer)]
            await self._note(http, request, answer, places)

    async def _send(self, http: httpx.AsyncClient, request: Request) -> tuple[httpx.Response | None, float]:
        url = (
            f"{self.caller.base}/{request.path}"
            if not request.path.startswith("?") and request.path
            else f"{self.caller.base}{request.path}"
        )
        headers = {"Authorization": f"Bearer {await asyncio.to_thread(lambda: self.caller.token)}", **request.headers}
        began = time.monotonic()
        try:
            answer = await http.request(request.method, url, headers=headers, content=request.body)
        except httpx.TimeoutException:
            self.report.problems.append(f"hangs | {shown(request)}")
            return None, HANG_S
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError):
            return None, 0.0  # our own HTTP library will not send this
        except httpx.RemoteProtocolError as error:
            self.report.problems.append(f"closed without an answer ({error}) | {shown(request)}")
            return None, 0.0
        return answer, time.monotonic() - began

    async def _note(self, http: httpx.AsyncClient, request: Request, answer: httpx.Response, places: dict[str, list[str]]) -> None:
        """What is there now. Where one answer does not tell, the hub is asked."""
        if answer.status_code >= 300 or request.writes is None:
            return
        place = request.writes or located(self.caller.base, answer)
        if place and request.method in ("POST", "PUT", "PATCH") and request.kind != "bundle":
            await self._expect(http, place, answer)
            known = places.setdefault(place.partition("/")[0], [])
            if place not in known:
                known.append(place)
        elif request.method == "DELETE" and request.writes:
            self.deleted.add(request.writes)

    async def _expect(self, http: httpx.AsyncClient, place: str, answer: httpx.Response) -> None:
        """What was acknowledged is there, as it was acknowledged, under a version that is no lower than before."""
        headers = {"Authorization": f"Bearer {self.caller.token}", "Accept": FHIR_JSON}
        read = await http.get(f"{self.caller.base}/{place}", headers=headers)
        version = int(orjson.loads(read.content)["meta"]["versionId"]) if read.status_code == 200 else 0
        if read.status_code not in (200, 404):
            self.report.problems.append(f"acknowledged and not there: {place} {read.status_code}")
        elif read.status_code == 200 and version < self.versions.get(place, 0):
            self.report.problems.append(f"goes back from version {self.versions[place]} to {version}: {place}")
        elif read.status_code == 200 and answer.content.startswith(b'{"resourceType"'):
            made = orjson.loads(answer.content)
            if made.get("meta", {}).get("versionId") == str(version) and made != orjson.loads(read.content):
                self.report.problems.append(f"is not what was acknowledged: {place}")
        self.versions[place] = max(version, self.versions.get(place, 0))
        self.deleted.discard(place)


def located(base: str, answer: httpx.Response) -> str:
    """Type/id of a Location header."""
    location = answer.headers.get("location", "").removeprefix(f"{base}/")
    return "/".join(location.split("/")[:2]) if location else ""


def shown(request: Request) -> str:
    return f"{request.method} {request.path[:300]} {request.headers} {(request.body or b'')[:1500]!r}"


def problems(request: Request, answer: httpx.Response) -> Iterator[str]:
    """What must hold whatever was sent."""
    status = answer.status_code
    if status >= 500:
        yield f"{status}"
    if request.method in ("HEAD", "OPTIONS") or (status < 400 and not answer.content):
        return
    type = answer.headers.get("content-type", "")
    if status < 400 and "content-disposition" in answer.headers:
        return  # bytes of a Binary, whatever they call themselves
    if "xml" in type and status < 400:
        return
    try:
        body = orjson.loads(answer.content) if "json" in type else None
    except orjson.JSONDecodeError:
        yield "no JSON"
        return
    if status >= 400 and "xml" not in type:
        yield from _no_outcome(body)
    if status >= 400 and CANARY in answer.text:
        yield "repeats a value"


def _no_outcome(body: Any) -> Iterator[str]:
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome" or not body.get("issue"):
        yield "no OperationOutcome"
        return
    for issue in body["issue"]:
        if issue.get("code") not in ISSUE_TYPES or issue.get("severity") not in ("fatal", "error", "warning", "information"):
            yield f"no issue of R4: {issue.get('code')}"
        if not issue.get("diagnostics"):
            yield "says nothing"
        if (
            issue.get("code") in PLACED
            and not issue.get("expression")
            and "JSON" not in issue["diagnostics"]
            and "XML" not in issue["diagnostics"]
        ):
            yield f"names no place for {issue['code']}"


async def fuzz(fuzzers: list[Fuzzer], number: int) -> None:
    """Each of them sends `number` requests, all at the same time."""
    limits = httpx.Limits(max_connections=len(fuzzers) * 2)
    async with httpx.AsyncClient(timeout=HANG_S, trust_env=False, verify=TLS, limits=limits, follow_redirects=False) as http:
        await asyncio.gather(*(fuzzer.run(http, number) for fuzzer in fuzzers))
