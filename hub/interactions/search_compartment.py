"""FHIR search in a compartment: what belongs to a patient, a device, a practitioner, … by one type or by all.

https://hl7.org/fhir/R4/http.html#vsearch, https://hl7.org/fhir/R4/compartmentdefinition.html. A compartment of somebody
hidden is empty, exactly like that of somebody absent (law 3).
"""

from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import FhirError
from hub.interactions.search_page import Pairs, answered
from hub.interactions.search_system import one_order
from hub.repository import Repository
from hub.search.asked import Criterion, Either, Search
from hub.search.definitions import COMPARTMENTS
from hub.search.parameters import resource_type
from hub.search.parse import parse_search, parse_system_search
from hub.search.references import ID

EVERY = "*"
ITSELF = "{def}"


async def search_compartment(request: Request, repository: Repository) -> Response:
    """A page of the compartment. Raises FhirError not-found for what is no compartment, or no type that lies in one."""
    path, base = request.path_params, repository.services.base_url
    compartment, id, type = path["compartment"], path["id"], path["within"]
    codes = COMPARTMENTS.get(compartment)
    if codes is None or (type != EVERY and (type not in codes or resource_type(type) is None)):
        raise FhirError("not-found", "There is no such compartment, or no such type in it; see /fhir/metadata.")
    if ID.fullmatch(id) is None:
        raise FhirError("not-found", "An id has 1 to 64 of A-Z a-z 0-9 - .")

    def parse(pairs: Pairs, lenient: bool) -> Search:
        if type != EVERY:
            return within(parse_search(type, pairs, lenient=lenient, base=base), compartment, id, base)
        found = one_order(parse_system_search(pairs, lenient=lenient, base=base))
        return replace(found, each=tuple(within(one, compartment, id, base) for one in found.each if one.type in codes))

    run = repository.search if type != EVERY else repository.search_all
    return await answered(
        request, repository, f"{compartment}/{id}/{type}", parse, partial(run, patient=id if compartment == "Patient" else None)
    )


def within(search: Search, compartment: str, id: str, base: str) -> Search:
    """The same search of the compartment alone."""
    if search.page is not None:
        return search
    ways: list[Criterion] = []
    for code in COMPARTMENTS[compartment].get(search.type, ()):
        asked = ("_id", id) if code == ITSELF else (code, f"{compartment}/{id}")
        ways += [one for one in parse_search(search.type, [asked], lenient=False, base=base).criteria if isinstance(one, Criterion)]
    return replace(search, criteria=(*search.criteria, Either(criteria=tuple(ways))))
