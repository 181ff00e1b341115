"""FHIR search on one type, by GET and by POST _search. https://hl7.org/fhir/R4/http.html#search"""

from starlette.requests import Request
from starlette.responses import Response

from hub.interactions.search_page import Pairs, answered
from hub.repository import Repository
from hub.search.asked import Search
from hub.search.parse import parse_search


async def search_type(request: Request, repository: Repository) -> Response:
    type, base = request.path_params["type"], repository.services.base_url

    def parse(pairs: Pairs, lenient: bool) -> Search:
        return parse_search(type, pairs, lenient=lenient, base=base)

    return await answered(request, repository, type, parse, repository.search)
