"""Operation $measures on a Patient: what devices measured, in the shape in which somebody else wants it. Ours, not HL7's.

`shape`: phd (HL7 Personal Health Device), ans (Mesures de santé), hddt (gematik); docs/shapes.md. The answer is a searchset: as
matches what is in the shape, along with it the devices, and an OperationOutcome that names what has no place and why. It is a search
for Observations like any other: within the caller's scope and the patient's consent, and recorded.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.shapes import ans, hddt, phd
from fhir_profiles.shapes.chunks import window_of
from fhir_profiles.shapes.kept import About, Entry, Left, Shaped
from fhir_profiles.shapes.tables import HDDT_CHUNK_HOURS
from hub import numbers, outcomes
from hub.errors import Issue
from hub.http import json_response
from hub.instants import fhir_instant
from hub.interactions.operation import Given, bad, given
from hub.interactions.search_page import cursor_of, pages
from hub.repository import Measured, Repository
from hub.repository.measuring import ROWS_MAX, Kepts, cut_at
from hub.search.asked import Include, Pair, Search
from hub.search.bundle import Entry as Listed
from hub.search.bundle import searchset
from hub.search.page import Cursor
from hub.search.parse import parse_search
from hub.search.result import COUNT_DEFAULT, COUNT_MAX
from hub.search.times import Range, date_range

PAGE, CHUNK = "_page", "chunkHours"
PARAMETERS = ("shape", "code", "category", "start", "end", "source", CHUNK, "_count")
SHAPES: Mapping[str, Callable[[Kepts, About], Shaped]] = {
    "phd": lambda kept, about: phd.shaped(kept, about, version("hds-hub")),
    "ans": ans.shaped,
    "hddt": hddt.shaped,
}
WINDOWED = "hddt"
"""The shape whose pages are cut between chunks, not between resources."""
CODES_MAX = 20
OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]{0,18})){1,30}")
HOURS_DEFAULT = 24
MILLISECOND_US = 1_000
BEFORE_ALL_US, BEHIND_ALL_US = date_range("1000").start_us, date_range("9999-12-31").start_us
DEVICES = (
    Include(source="Observation", parameter="device", target=None, iterate=False, reverse=False),
    Include(source="DeviceMetric", parameter="source", target="Device", iterate=True, reverse=False),
)
SENSORS = Include(source="DeviceMetric", parameter="source", target=None, iterate=True, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for; times in us since 1970, `until_us` the first moment that is not."""

    shape: str
    pairs: tuple[Pair, ...]
    criteria: tuple[Pair, ...]
    from_us: int | None
    until_us: int | None
    source: str | None
    hours: int
    count: int


async def measures(request: Request, repository: Repository) -> Response:
    """A page. Raises FhirError not-found for a patient hidden or absent."""
    id = request.path_params["id"]
    target = f"Patient/{id}/$measures"
    parameters, cursor = await given(request, repository), None
    page = parameters.text(PAGE)
    if page is not None:
        cursor = cursor_of(target, page, repository)
        parameters = Given(values=_by_name(cursor.pairs))
    asked = _asked(parameters)
    measured = await repository.measures(id, _search(id, asked, repository), _place(asked, cursor), seen=asked.shape == WINDOWED)
    about, following = _about(asked, measured, repository), None
    if asked.shape == WINDOWED and measured.found.after is not None:
        following = cut_at(measured, asked.hours)
        measured, behind = measured.before(following)
        about = replace(about, behind=behind, until_us=following)
    shaped = SHAPES[asked.shape](measured.kept(), about)
    return json_response(_answer(target, asked, shaped, _pages(target, asked, measured, cursor, following, repository), repository))


def _by_name(pairs: tuple[Pair, ...]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _asked(parameters: Given) -> Asked:
    parameters.only(*PARAMETERS)
    shape = parameters.text("shape")
    if shape is None:
        bad("shape", f"is needed: one of {', '.join(SHAPES)}", "required")
    if shape not in SHAPES:
        bad("shape", f"must be one of {', '.join(SHAPES)}")
    codes = [one for text in parameters.texts("code") for one in text.split(",")]
    if len(codes) > CODES_MAX:
        bad("code", f"may name {CODES_MAX} codes")
    start, end = _bound("start", parameters), _bound("end", parameters)
    category = parameters.text("category")
    return Asked(
        shape=shape,
        pairs=tuple((name, text) for name in PARAMETERS for text in _texts(parameters, name)),
        criteria=(*((("code", ",".join(codes)),) if codes else ()), *((("category", category),) if category else ())),
        from_us=None if start is None else start.start_us,
        until_us=None if end is None else end.end_us,
        source=_source(shape, parameters),
        hours=_hours(shape, parameters),
        count=_count(shape, parameters),
    )


def _texts(parameters: Given, name: str) -> list[str]:
    return [str(one) for one in parameters.all(name)]


def _bound(name: str, parameters: Given) -> Range | None:
    text = parameters.text(name)
    if text is None:
        return None
    try:
        return date_range(text)
    except ValueError:
        bad(name, "must be a date, a dateTime or an instant; write the + of a zone as %2B")


def _source(shape: str, parameters: Given) -> str | None:
    source = parameters.text("source")
    if shape != "ans":
        if source is not None:
            bad("source", "has no place in this shape", "not-supported")
        return None
    if source is None:
        bad("source", "is needed: the OID under which your software is known there, as urn:oid:…", "required")
    if OID.fullmatch(source) is None:
        bad("source", "must be an OID, written urn:oid:1.2.250.…")
    return source


def _hours(shape: str, parameters: Given) -> int:
    hours = parameters.number(CHUNK)
    if hours is None:
        return HOURS_DEFAULT
    if shape != WINDOWED:
        bad(CHUNK, "has no place in this shape", "not-supported")
    if hours not in HDDT_CHUNK_HOURS:
        bad(CHUNK, f"must be one of {', '.join(map(str, HDDT_CHUNK_HOURS))}")
    return hours


def _count(shape: str, parameters: Given) -> int:
    """How many stored Observations a page is made of: chunks hold many of them."""
    count = parameters.number("_count")
    if count == 0:
        bad("_count", "must be at least 1")
    if shape == WINDOWED:
        return ROWS_MAX if count is None else min(count, ROWS_MAX)
    return COUNT_DEFAULT if count is None else min(count, COUNT_MAX)


def _search(id: str, asked: Asked, repository: Repository) -> Search:
    """By time. A chunk is read from its beginning, whenever within it the question begins."""
    start = asked.from_us
    if start is not None and asked.shape == WINDOWED:
        start = window_of(start, asked.hours).start_us
    bounds = (("gt", None if start is None else start - MILLISECOND_US), ("lt", asked.until_us))
    dates = [("date", prefix + _moment(us)) for prefix, us in bounds if us is not None]
    pairs = [("subject", f"Patient/{id}"), *asked.criteria, *dates, ("_sort", "date")]
    search = parse_search("Observation", pairs, lenient=False, base=repository.services.base_url)
    includes = (*DEVICES, SENSORS) if asked.shape == WINDOWED else DEVICES
    return replace(search, count=asked.count, includes=includes)


def _moment(us: int) -> str:
    return fhir_instant(max(BEFORE_ALL_US, min(us, BEHIND_ALL_US)))


def _place(asked: Asked, cursor: Cursor | None) -> Cursor | None:
    """Where a page of chunks begins is said by its start."""
    return None if asked.shape == WINDOWED else cursor


def _about(asked: Asked, measured: Measured, repository: Repository) -> About:
    services, caller = repository.services, repository.caller
    return About(
        base=services.base_url,
        patient=numbers.loads(measured.patient.json),
        pseudonym=services.blind.id("pairing", f"{caller.client_id} {measured.patient.id}"),
        now_us=services.clock(),
        number=numbers.number,
        source=asked.source,
        from_us=asked.from_us,
        until_us=asked.until_us,
        chunk_hours=asked.hours,
        seen_us=measured.seen_us,
    )


def _pages(
    target: str, asked: Asked, measured: Measured, cursor: Cursor | None, following: int | None, repository: Repository
) -> list[tuple[str, str]]:
    if asked.shape != WINDOWED:
        return pages(target, asked.pairs, measured.found, cursor, repository)
    if following is None:
        return []
    pairs = [*(pair for pair in asked.pairs if pair[0] != "start"), ("start", fhir_instant(following))]
    found = replace(measured.found, after=(), before=None)
    return pages(target, pairs, found, None, repository)


def _answer(target: str, asked: Asked, shaped: Shaped, links: list[tuple[str, str]], repository: Repository) -> bytes:
    return searchset(
        url=f"{repository.services.base_url}/{target}",
        used=asked.pairs,
        entries=[*map(_match, shaped.matches), *map(_along, shaped.along.values())],
        total=None,
        pages=links,
        outcome=_outcome(asked.shape, shaped.left),
    )


def _match(entry: Entry) -> Listed:
    return Listed(entry.url, numbers.dumps(entry.resource), "match")


def _along(entry: Entry) -> Listed:
    return Listed(entry.url, numbers.dumps(entry.resource), "include")


def _outcome(shape: str, left: list[Left]) -> bytes | None:
    """Each reason once, with every Observation for which it holds."""
    by_text: dict[tuple[bool, str], list[str]] = {}
    for one in left:
        by_text.setdefault((one.lost, one.text), []).append(one.reference)
    issues = [
        Issue(code="not-supported", text=f"No place in {shape}: {text}: {', '.join(references)}.")
        for (lost, text), references in by_text.items()
        if lost
    ]
    told = [f"{text}: {', '.join(references)}." for (lost, text), references in by_text.items() if not lost]
    return outcomes.warnings(issues, told)
