"""FHIR search over all types or those of `_type`, by GET and by POST _search on the base. https://hl7.org/fhir/R4/http.html#vsearch"""

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import FhirError
from hub.interactions.search_page import Pairs, answered
from hub.repository import Repository
from hub.search.asked import Search
from hub.search.parse import parse_system_search


async def search_system(request: Request, repository: Repository) -> Response:
    base = repository.services.base_url

    def parse(pairs: Pairs, lenient: bool) -> Search:
        return one_order(parse_system_search(pairs, lenient=lenient, base=base))

    return await answered(request, repository, "", parse, repository.search_all)


def one_order(search: Search) -> Search:
    """Raises FhirError `not-supported` where several types would have to come in one order: they come type by type."""
    if search.sort and len(search.each) > 1:
        raise FhirError("not-supported", "_sort is offered for one type at a time: name it with _type.", expression="http._sort")
    return search
