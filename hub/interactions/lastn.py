"""FHIR operation $lastn on Observation: the last n of each code. https://hl7.org/fhir/R4/observation-operation-lastn.html"""

from starlette.requests import Request
from starlette.responses import Response

from hub.http import json_response
from hub.interactions.operation import bad, given
from hub.repository import Repository
from hub.search.bundle import Entry, searchset
from hub.search.includes import INCLUDE, REVINCLUDE
from hub.search.parse import parse_search
from hub.search.result import RESULT_PARAMETERS

MAX = "max"
MAX_DEFAULT, MAX_MOST = 1, 100
WHOSE = frozenset({"patient", "subject"})


async def lastn(request: Request, repository: Repository) -> Response:
    """A searchset Bundle: group after group, the newest first in each. Takes `max` and the search parameters of Observation."""
    parameters = await given(request, repository)
    most = MAX_DEFAULT if (asked := parameters.number(MAX)) is None else asked
    if not 0 < most <= MAX_MOST:
        bad(MAX, f"must be from 1 to {MAX_MOST}")
    pairs = [(name, text) for name in parameters.values if name != MAX for text in parameters.texts(name)]
    if WHOSE.isdisjoint(name.partition(":")[0] for name, _ in pairs):
        bad("patient", "or subject is needed: whose Observations", "required")
    for name, _ in pairs:
        if name in RESULT_PARAMETERS or name.partition(":")[0] in (INCLUDE, REVINCLUDE):
            bad(name, f"has no place here: $lastn takes {MAX} and search criteria", "not-supported")
    base = repository.services.base_url
    search = parse_search("Observation", pairs, lenient=False, base=base)
    found = await repository.lastn(search, most)
    entries = [Entry(f"{base}/Observation/{one.resource.id}", one.resource.json) for group in found for one in group]
    used = [*search.used, *(() if asked is None else ((MAX, str(most)),))]
    return json_response(searchset(url=f"{base}/Observation/$lastn", used=used, entries=entries, total=len(entries)))
