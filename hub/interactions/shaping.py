"""`_summary` and `_elements` on what is read. https://hl7.org/fhir/R4/search.html#summary, #elements"""

from collections.abc import Callable, Collection, Mapping

from starlette.requests import Request

from fhir_profiles.definitions import definition
from fhir_profiles.shape import Summary, shaped
from hub import numbers
from hub.errors import FhirError
from hub.search.parameters import RESOURCE_TYPES
from hub.search.result import Result, with_parameter
from hub.search.value import BadValue

SHAPING = ("_summary", "_elements")
COUNT_OF_ONE = "_summary=count is for searches; leave it out, or ask for true, text, data or false."

SUMMARIES: Mapping[str, Summary] = {"true": "true", "text": "text", "data": "data"}
Shape = Callable[[bytes], bytes]


def shape_of(request: Request) -> Shape | None:
    """What turns a stored resource into what is asked for; None for all of it. Raises FhirError invalid."""
    if not request.url.query:
        return None
    type, asked = request.path_params["type"], Result()
    for name, value in request.query_params.multi_items():
        if name in SHAPING:
            try:
                asked, _ = with_parameter(asked, name, value, RESOURCE_TYPES[type])
            except BadValue as error:
                raise FhirError("invalid", f"{name} {error}.", expression=f"http.{name}") from None
    if asked.summary == "count":
        raise FhirError("invalid", COUNT_OF_ONE, expression="http._summary")
    known = {name for element in definition(type).elements for name in (element.name, *map(element.json_name, element.types))}
    if not known.issuperset(asked.elements):
        raise FhirError("invalid", f"_elements names something that {type} has no element for.", expression="http._elements")
    if asked.summary is None and not asked.elements:
        return None
    summary, elements = asked.summary, asked.elements
    return lambda body: part(body, summary, elements)


def part(body: bytes, summary: str | None, elements: Collection[str]) -> bytes:
    """What is left of a stored resource, with the digits of its decimals."""
    return numbers.dumps(shaped(numbers.loads(body), summary=SUMMARIES.get(summary or ""), elements=elements))
