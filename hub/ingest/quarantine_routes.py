"""GET /quarantine, …/counts, …/{id}; POST …/{id}/replay, …/replay, …/{id}/discard, …/discard: quarantine over HTTP.

A client works with what it sent itself; items of others do not exist for it. Administrators see the causes of everybody's.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub import outcomes
from hub.errors import FhirError
from hub.http import PRIVATE, read_body
from hub.ingest.fates import Answer
from hub.ingest.intake import require_sender
from hub.ingest.quarantine import REASON_MAX, counted, discard, facts_naming, summaries, wanted
from hub.ingest.replay import REPLAY_MAX, How, pages, replay_items
from hub.ingest.routes import answered
from hub.instants import from_person
from hub.repository import Repository

COUNT_DEFAULT, COUNT_MAX = 100, 1_000
DAYS_MAX = 36_500
ID: Final = re.compile(r"[0-9A-Za-z]{22}")
AFTER: Final = re.compile(r"([0-9]{1,18})-([0-9A-Za-z]{22})")
FILTERS = frozenset({"adapter", "code", "client", "since", "until", "olderThan"})
PAGING = frozenset({"_count", "after"})
AFTERWARDS = frozenset({"device", "timeZone"})
BODY_MAX_BYTES = 10_000
DAY_US = 86_400_000_000
NO_FILTER = "Say which items: adapter, code, since, until or olderThan. What is discarded is gone."

Json = dict[str, Any]


async def list_waiting(request: Request, repository: Repository) -> Response:
    """Causes of what waits, oldest first, page by page (a Link header leads to the next one)."""
    async with repository.recording("quarantine-list"):
        asked = _asked(request, repository, FILTERS | PAGING)
        count = _count(request.query_params.get("_count"))
        found = await repository.services.store.quarantine.page(asked, count + 1)
        shown = await summaries(repository.services, found[:count], sender=repository.caller.administrator)
    headers = dict(PRIVATE)
    if len(found) > count:
        last = found[count - 1]
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
        query.append(("after", f"{last.received_us}-{last.id}"))
        headers["Link"] = f'</quarantine?{urlencode(query)}>; rel="next"'
    return _json(shown, headers)


async def counts(request: Request, repository: Repository) -> Response:
    """How many wait by adapter and cause."""
    async with repository.recording("quarantine-list"):
        made = await counted(repository.services, _asked(request, repository, FILTERS))
    return _json(made)


async def look(request: Request, repository: Repository) -> Response:
    """One item: cause, place, hint."""
    async with repository.recording("quarantine-list"):
        found = await _one(request, repository, frozenset())
        (shown,) = await summaries(repository.services, found, sender=repository.caller.administrator)
    return _json(shown)


async def replay(request: Request, repository: Repository) -> Response:
    """Take one waiting item through the pipeline again, after the cause is mended; `{id}` may be `all`."""
    if request.path_params["id"] == "all":
        return await replay_many(request, repository)
    async with repository.recording("quarantine-replay") as recording:
        items = await _one(request, repository, AFTERWARDS, own=True)
        answers = await replay_items(repository, recording, items, _how(request))
    return answered(request, answers)


async def replay_many(request: Request, repository: Repository) -> Response:
    """The same for all that a filter names, ten thousand at most; one answer per item."""
    answers: list[Answer] = []
    async with repository.recording("quarantine-replay") as recording:
        asked = _asked(request, repository, (FILTERS - {"client"}) | AFTERWARDS, own=True)
        async for page in pages(repository.services, asked, REPLAY_MAX):
            await repository.standing.look()  # ten thousand items take a while
            answers += await replay_items(repository, recording, page, _how(request))
    return answered(request, answers)


async def discard_one(request: Request, repository: Repository) -> Response:
    """Give up on one item; the body says why."""
    async with repository.recording("quarantine-discard") as recording:
        items = await _one(request, repository, frozenset(), own=True)
        repository.facts.reason = await _reason(request)
        await repository.standing.look()
        facts_naming(repository.facts, items)
        done = await discard(recording, repository.services, items, repository.standing)
    return _json({"discarded": done})


async def discard_many(request: Request, repository: Repository) -> Response:
    """Give up on all that a filter names. Nothing is named by no filter."""
    done, query = 0, repository.facts.query
    async with repository.recording("quarantine-discard") as recording:
        asked = _asked(request, repository, FILTERS - {"client"}, own=True)
        if not request.query_params:
            raise FhirError("required", NO_FILTER, expression="http.adapter")
        repository.facts.reason = await _reason(request)
        async for page in pages(repository.services, asked, REPLAY_MAX):
            await repository.standing.look()
            repository.facts.query = query
            facts_naming(repository.facts, page)
            done += await discard(recording, repository.services, page, repository.standing)
    return _json({"discarded": done})


def _asked(request: Request, repository: Repository, known: frozenset[str], *, own: bool = False) -> Any:
    """Raises FhirError forbidden, invalid or value. `own`: what is done is done with the caller's own items, whoever it is."""
    caller, given = repository.caller, _parameters(request, known)
    if not caller.administrator or own:
        require_sender(repository)
    if "client" in given and not caller.administrator:
        raise FhirError(
            "forbidden", "Which client sent an item is a filter for administrators; leave out client.", expression="http.client"
        )
    client = given.get("client") if caller.administrator and not own else caller.client_id
    now_us = repository.services.clock()
    until_us = _moment(given, "until")
    if "olderThan" in given:
        days = given["olderThan"]
        if not days.isdecimal() or int(days) > DAYS_MAX:
            raise FhirError("value", "olderThan is a number of days.", expression="http.olderThan")
        before_us = now_us - int(days) * DAY_US
        until_us = before_us if until_us is None else min(until_us, before_us)
    return wanted(
        now_us=now_us,
        client=client,
        adapter=given.get("adapter"),
        code=given.get("code"),
        since_us=_moment(given, "since"),
        until_us=until_us,
        after=_after(given.get("after")),
    )


async def _one(request: Request, repository: Repository, known: frozenset[str], *, own: bool = False) -> Sequence[Any]:
    """The item of the path. Another's is not there, like one that never was."""
    _parameters(request, known)
    caller, id = repository.caller, request.path_params["id"]
    if not caller.administrator or own:
        require_sender(repository)
    client = None if caller.administrator and not own else caller.client_id
    found = []
    if ID.fullmatch(id):
        asked = wanted(now_us=repository.services.clock(), client=client, ids=(id,))
        found = list(await repository.services.store.quarantine.page(asked, 1))
    if not found:
        raise outcomes.absent()
    return found


def _parameters(request: Request, known: frozenset[str]) -> Mapping[str, str]:
    """A misspelt filter is refused, or more would be meant than was said."""
    for name, _ in request.query_params.multi_items():
        if name not in known:
            words = ", ".join(sorted(known)) or "none"
            raise FhirError("invalid", f"The parameters here are: {words}; there is an unknown one.")
        if len(request.query_params.getlist(name)) > 1:
            raise FhirError("invalid", f"{name} is given more than once.", expression=f"http.{name}")
    return request.query_params


def _moment(given: Mapping[str, str], name: str) -> int | None:
    if name not in given:
        return None
    try:
        return from_person(given[name])
    except (ValueError, OverflowError):
        raise FhirError("value", f"{name} is a date or an instant, e.g. 2026-01-31T10:00:00Z.", expression=f"http.{name}") from None


def _after(given: str | None) -> tuple[int, str] | None:
    if given is None:
        return None
    found = AFTER.fullmatch(given)
    if found is None:
        raise FhirError("value", "after is what a Link header said.", expression="http.after")
    return int(found[1]), found[2]


def _count(given: str | None) -> int:
    if given is None:
        return COUNT_DEFAULT
    if not given.isdecimal() or not 1 <= int(given) <= COUNT_MAX:
        raise FhirError("value", f"_count is a number from 1 to {COUNT_MAX}.", expression="http._count")
    return int(given)


def _how(request: Request) -> How:
    return How(device=request.query_params.get("device"), time_zone=request.query_params.get("timeZone"))


async def _reason(request: Request) -> str:
    """Raises FhirError structure or required."""
    body = await read_body(request, BODY_MAX_BYTES)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise FhirError("structure", 'The body is JSON: {"reason": "why"}.') from None
    reason = said.get("reason") if isinstance(said, dict) else None
    if not isinstance(reason, str) or not reason.strip() or len(reason) > REASON_MAX:
        raise FhirError("required", f"reason says why, in 1 to {REASON_MAX} characters.", expression="reason")
    return reason.strip()


def _json(content: object, headers: Mapping[str, str] = PRIVATE) -> Response:
    return Response(orjson.dumps(content), media_type="application/json", headers=dict(headers))
