"""In which format a caller is answered, and in which a body came: JSON or XML, in UTF-8.

https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/http.html#parameters. Interactions know JSON alone: the guard
renders what they answer, errors included, and `resource_of` reads what they are sent. JSON passes untouched.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from fhir_profiles.xml import NotFhirXml, from_xml, to_xml
from hub import numbers
from hub.errors import FhirError
from hub.json_names import repeated_name

Format = Literal["json", "xml"]

FHIR_JSON: Final = "application/fhir+json"
FHIR_XML: Final = "application/fhir+xml"
MEDIA_TYPES: Final[Mapping[Format, str]] = {"json": FHIR_JSON, "xml": FHIR_XML}

FORMAT_OF: Final[Mapping[str, Format]] = {
    **dict.fromkeys((FHIR_JSON, "application/json", "application/json+fhir", "text/json"), "json"),
    **dict.fromkeys((FHIR_XML, "application/xml", "application/xml+fhir", "text/xml"), "xml"),
}
"""The formal types of R4, the generic ones it asks servers to take as well, and those of its predecessors."""

_WILDCARDS: Final = ({"application/*"}, {"text/*"}, {"*/*"})
_NAMES: Final = {format: ({name for name, of in FORMAT_OF.items() if of == format}, *_WILDCARDS) for format in MEDIA_TYPES}
"""What Accept may call each format, the most exact first."""

_PATH: Final = re.compile(r"[A-Za-z_]+(?:\.[A-Za-z_]{1,64}|\[[0-9]+\])*", re.ASCII)
"""What may be repeated of a path that was sent: names of elements, or what looks like them."""
_SHORT: Final[Mapping[str, Format]] = {"json": "json", "xml": "xml"}
_VERSIONS: Final = frozenset({"", "4.0", "4.0.1"})
_CHARSETS: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})
_NOT_ACCEPTABLE: Final = f"The hub answers in {FHIR_JSON} or {FHIR_XML}, in UTF-8 and after R4:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an answer shall look."""

    format: Format = "json"
    pretty: bool = False


def wanted(request: Request) -> Wanted:
    """What the caller asks for. Raises FhirError not-acceptable where the hub cannot give it."""
    query = request.scope["query_string"]
    asked = request.query_params if b"_format" in query or b"_pretty" in query else {}
    return _wanted(request, asked.get("_format"), asked.get("_pretty"))


def wanted_in_form(request: Request, pairs: Iterable[tuple[str, str]]) -> Wanted:
    """The same where parameters came in a form too. https://hl7.org/fhir/R4/http.html#search"""
    asked = dict(pairs)
    return _wanted(request, asked.get("_format"), asked.get("_pretty"))


def wanted_of_refused(request: Request) -> Wanted:
    """How a refusal is told: as asked for, and in JSON to whoever asks for what there is not."""
    try:
        return wanted(request)
    except FhirError:
        return Wanted()


def render(response: Response, wanted: Wanted) -> Response:
    """Answer in the format that is wanted; what is no FHIR stays as it is."""
    if response.media_type != FHIR_JSON:
        return response
    response.headers["Vary"] = "Accept"
    if wanted.format == "xml" or wanted.pretty:
        response.headers["Content-Type"] = MEDIA_TYPES[wanted.format]
        if response.body:
            response.body = _rendered(bytes(response.body), wanted)
            response.headers["Content-Length"] = str(len(response.body))
    return response


def _rendered(body: bytes, wanted: Wanted) -> bytes:
    content = numbers.loads(body)
    return to_xml(content, pretty=wanted.pretty) if wanted.format == "xml" else numbers.dumps(content, pretty=True)


def resource_of(content_type: str, body: bytes) -> dict[str, Any]:
    """A body as parsed JSON, with the digits of its decimals. Raises FhirError; never repeats what it got."""
    media_type, parameters = type_of(content_type)
    format = FORMAT_OF.get(media_type)
    if format is None or not is_ours(parameters):
        raise FhirError("media-type", f"Send {FHIR_JSON} or {FHIR_XML}, in UTF-8 and after R4.", expression="http.Content-Type")
    if format == "xml":
        try:
            return from_xml(body, decimal=numbers.number)
        except NotFhirXml as error:
            raise FhirError(error.problem.code, error.problem.text, expression=error.problem.expression) from None
    content = json_of(body)
    if not isinstance(content, dict):
        raise FhirError("structure", "The body must be a resource: a JSON object with its resourceType.")
    return content


def json_of(body: bytes) -> Any:
    """Parsed JSON that says each thing once. Raises FhirError structure.

    A byte order mark is passed over: https://www.rfc-editor.org/rfc/rfc8259#section-8.1
    """
    body = body.removeprefix(BOM_UTF8)
    try:
        content = numbers.loads(body)
    except ValueError:
        raise FhirError("structure", "The body is not well-formed JSON, or is nested too deeply.") from None
    twice = repeated_name(body, content)
    if twice is not None:
        place = twice if _PATH.fullmatch(twice) else None
        raise FhirError("structure", "An object has a name twice; in FHIR several values are an array.", expression=place)
    return content


def _wanted(request: Request, format: str | None, pretty: str | None) -> Wanted:
    headers = request.headers
    found = _negotiated(",".join(headers.getlist("accept")), headers.get("accept-charset", ""), format)
    if found is None:
        advice = "say so in Accept, or leave it out." if format is None else "leave _format out, or set it to json or xml."
        where = "Accept-Charset" if not _is_written(headers.get("accept-charset", "")) else "Accept" if format is None else "_format"
        raise FhirError("not-acceptable", f"{_NOT_ACCEPTABLE} {advice}", expression=f"http.{where}")
    return Wanted(found, pretty == "true")


@lru_cache(64)
def _negotiated(accept: str, charset: str, format: str | None) -> Format | None:
    """`_format` takes the place of Accept. https://hl7.org/fhir/R4/http.html#parameters"""
    if not _is_written(charset):
        return None
    if format is None:
        return _preferred(accept)
    type, parameters = type_of(format.replace(" ", "+"))  # a plus sign that was not escaped
    return _SHORT.get(type) or (FORMAT_OF.get(type) if is_ours(parameters) else None)


def _is_written(charset: str) -> bool:
    return not charset or any(type in {*_CHARSETS, "*"} and weight_of(more) for type, more in map(type_of, charset.split(",")))


def _preferred(accept: str) -> Format | None:
    """The format of the highest weight; between equals the one named first, and JSON. https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1"""
    if not accept.strip():
        return "json"
    offers = [(place, type, parameters) for place, (type, parameters) in enumerate(map(type_of, accept.split(","))) if is_ours(parameters)]
    weighed = [(quality, -place, format) for format in MEDIA_TYPES for place, quality in _weight(format, offers)]
    best = max(weighed, key=lambda one: one[:2], default=None)
    return best[2] if best is not None and best[0] > 0 else None


def _weight(format: Format, offers: list[tuple[int, str, Mapping[str, str]]]) -> Iterator[tuple[int, float]]:
    """(place, weight) of the offer that says most exactly what it wants of this format."""
    for names in _NAMES[format]:
        fitting = [(-weight_of(parameters), place) for place, type, parameters in offers if type in names]
        if fitting:
            quality, place = min(fitting)
            yield place, -quality
            return


def type_of(text: str) -> tuple[str, Mapping[str, str]]:
    """`application/fhir+xml; charset=UTF-8` -> its parts in small letters."""
    type, *rest = text.lower().split(";")
    parts = (part.partition("=") for part in rest)
    return type.strip(), {name.strip(): value.strip().strip('"') for name, _, value in parts}


def is_ours(parameters: Mapping[str, str]) -> bool:
    """https://hl7.org/fhir/R4/http.html#version-parameter; UTF-8 is the one character set of FHIR."""
    return parameters.get("charset", "") in _CHARSETS and parameters.get("fhirversion", "") in _VERSIONS


def weight_of(parameters: Mapping[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0
