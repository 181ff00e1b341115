"""FHIR operation $everything on a Patient: what belongs to the patient or names the patient, and what that refers to.

https://hl7.org/fhir/R4/patient-operation-everything.html. What R4 leaves open: `start` and `end` select by the primary date
of a type, all that lies there in part, and types without one come whole; what is referred to (practitioners, organisations,
devices, …) comes along with each page that refers to it, as mode include, if `_type` does not leave its type out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hub.http import json_response
from hub.instants import fhir_instant
from hub.interactions.operation import Given, bad, given
from hub.interactions.search_page import cursor_of, pages
from hub.repository import Match, Repository
from hub.repository.reading import POLICY_ONLY
from hub.search.asked import Include, Pair, Search
from hub.search.bundle import Entry, Mode, searchset
from hub.search.parameters import RESOURCE_TYPES
from hub.search.parse import parse_search
from hub.search.result import COUNT_DEFAULT, COUNT_MAX
from hub.search.times import date_range

PAGE = "_page"
PARAMETERS = ("start", "end", "_since", "_type", "_count")
DATES = ("start", "end", "_since")
ALONG = (
    "Device",
    "DeviceDefinition",
    "DeviceMetric",
    "HealthcareService",
    "Location",
    "Medication",
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "Substance",
)
"""Types that patients' resources refer to and that belong to nobody."""
MILLISECOND_US = 1_000
EARLIEST, LATEST = date_range("1000"), date_range("9999-12-31")
"""Bounds outside of these leave out nothing that is stored, and cannot be written as an instant."""


async def everything(request: Request, repository: Repository) -> Response:
    """A page of the record. Raises FhirError not-found for a patient hidden or absent."""
    id, base = request.path_params["id"], repository.services.base_url
    target = f"Patient/{id}/$everything"
    parameters, cursor = await given(request, repository), None
    page = parameters.text(PAGE)
    if page is not None:
        cursor = cursor_of(target, page, repository)
        parameters = Given(values=_by_name(cursor.pairs))
    search = _search(parameters, base)
    found = await repository.everything(id, search, cursor)
    bundle = searchset(
        url=f"{base}/{target}",
        used=search.used,
        entries=[*_entries(base, found.matches, "match"), *_entries(base, found.included, "include")],
        total=found.total,
        pages=pages(target, search.used, found, cursor, repository),
    )
    return json_response(bundle)


def _entries(base: str, found: Iterable[Match], mode: Mode) -> Iterator[Entry]:
    return (Entry(f"{base}/{one.resource.type}/{one.resource.id}", one.resource.json, mode) for one in found)


def _by_name(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _search(parameters: Given, base: str) -> Search:
    """One search for each type."""
    parameters.only(*PARAMETERS)
    count = parameters.number("_count")
    size = COUNT_DEFAULT if count is None else min(count, COUNT_MAX)
    if not size:
        bad("_count", "must be at least 1")
    for name in DATES:
        _check_date(name, parameters)
    used = [(name, text) for name in PARAMETERS if name != "_count" for text in parameters.texts(name)]
    used += [] if count is None else [("_count", str(size))]
    each = (_of_type(type, parameters, base, count=size) for type in _types(parameters))
    return replace(parse_search("Patient", [("_count", str(size))], lenient=False, base=base), type="", used=tuple(used), each=tuple(each))


def _check_date(name: str, parameters: Given) -> None:
    text = parameters.text(name)
    if text is None:
        return
    try:
        date_range(text)
    except ValueError:
        bad(name, "must be a date, a dateTime or an instant; write the + of a zone as %2B")


def _types(parameters: Given) -> Sequence[str]:
    named = [name for text in parameters.texts("_type") for name in text.split(",")]
    if any(name not in RESOURCE_TYPES or name in POLICY_ONLY for name in named):
        bad("_type", "must name resource types of a record, separated by commas")
    return sorted(set(named)) or sorted(RESOURCE_TYPES.keys() - POLICY_ONLY)


def _of_type(type: str, parameters: Given, base: str, *, count: int) -> Search:
    criteria = list(_criteria(type, parameters))
    made = parse_search(type, [*criteria, ("_count", str(count))], lenient=False, base=base)
    along = [target for target in ALONG if not parameters.all("_type") or target in _types(parameters)]
    includes = tuple(Include(source=type, parameter=None, target=target, iterate=False, reverse=False) for target in along)
    return replace(made, includes=includes)


def _criteria(type: str, parameters: Given) -> Iterator[Pair]:
    since = parameters.text("_since")
    if since is not None:
        yield "_lastUpdated", f"ge{since}"
    dated = next((one.code for one in RESOURCE_TYPES[type].parameters.values() if one.where == "de"), None)
    if dated is not None:
        yield from ((dated, bound) for bound in _care_within(parameters.text("start"), parameters.text("end")))


def _care_within(start: str | None, end: str | None) -> Iterator[str]:
    """What lies in part between the two is care of that time: a stay that begins before, or ends after.

    The prefixes ge and le ask for more (docs/search.md), so moments just outside are compared with.
    """
    if start is not None:
        yield f"gt{_moment(date_range(start).start_us - MILLISECOND_US)}"
    if end is not None:
        yield f"lt{_moment(date_range(end).end_us)}"


def _moment(us: int) -> str:
    return fhir_instant(max(EARLIEST.start_us, min(us, LATEST.start_us)))
