"""Entries of a batch or a transaction, read and answered. https://hl7.org/fhir/R4/http.html#transaction

What is wrong with an entry is told with its place in the Bundle; no text repeats what was sent.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from string import printable
from typing import Any
from urllib.parse import quote

import orjson

from hub.errors import FhirError
from hub.guard import names_operation
from hub.instants import fhir_instant, http_date
from hub.search.references import literal, with_slash
from hub.search.times import date_range

ENTRIES_MAX = 1_000
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
CARRY = ("POST", "PUT", "PATCH")
CONDITIONS: Mapping[str, str] = {
    "ifNoneMatch": "if-none-match",
    "ifModifiedSince": "if-modified-since",
    "ifMatch": "if-match",
    "ifNoneExist": "if-none-exist",
}
"""Elements of Bundle.entry.request, as the headers they stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the request. `path` and `query`: below the base; `headers` in small letters."""

    place: int
    method: str
    path: str
    query: str
    content: Mapping[str, Any] | None
    full_url: str | None
    headers: Mapping[str, str]

    def error(self, code: Any, text: str, element: str = "") -> FhirError:
        return FhirError(code, text, expression=f"Bundle.entry[{self.place}]{element}")


def entries_of(bundle: Mapping[str, Any], base: str) -> list[Entry | FhirError]:
    """Each entry, or what is wrong with it. Raises FhirError `too-long` for too many."""
    given = bundle.get("entry", [])
    if not isinstance(given, list):
        raise FhirError("structure", "entry has to be an array.", expression="Bundle.entry")
    if len(given) > ENTRIES_MAX:
        raise FhirError("too-long", f"A Bundle may have {ENTRIES_MAX} entries; send several.", expression="Bundle.entry")
    return [_understood(place, one, base) for place, one in enumerate(given)]


def _understood(place: int, given: Any, base: str) -> Entry | FhirError:
    try:
        return _entry(place, given, base)
    except FhirError as error:
        return error


def _entry(place: int, given: Any, base: str) -> Entry:
    where = f"Bundle.entry[{place}]"
    request = given.get("request") if isinstance(given, dict) else None
    if not isinstance(request, dict) or request.get("method") not in METHODS or not isinstance(request.get("url"), str):
        raise FhirError(
            "required", f"Each entry needs a request with a url and a method: {', '.join(METHODS)}.", expression=f"{where}.request"
        )
    content, full_url, method = given.get("resource"), given.get("fullUrl"), request["method"]
    if full_url is not None and not isinstance(full_url, str):
        raise FhirError("value", "fullUrl has to be a URI.", expression=f"{where}.fullUrl")
    path, query = _below(request["url"], base, where)
    if (method in CARRY) is not isinstance(content, dict) and not (method == "POST" and content is None and _asks(path)):
        raise FhirError("structure", "POST, PUT and PATCH carry a resource, the others carry none.", expression=f"{where}.resource")
    headers = {header: _header(name, request[name], where) for name, header in CONDITIONS.items() if name in request}
    return Entry(place=place, method=method, path=path, query=query, content=content, full_url=full_url, headers=headers)


def _asks(path: str) -> bool:
    """A search or an operation by POST: what it asks may all stand in the url."""
    return path.rpartition("/")[2] == "_search" or names_operation(path)


def _header(name: str, value: Any, where: str) -> str:
    """As the header has it: a date in the form of HTTP, what is no ASCII escaped as in a URL."""
    if name != "ifModifiedSince":
        return quote(str(value), safe=printable)
    try:
        return http_date(date_range(str(value))[0])
    except ValueError:
        raise FhirError("value", "ifModifiedSince has to be an instant.", expression=f"{where}.request.{name}") from None


def _below(url: str, base: str, where: str) -> tuple[str, str]:
    own = literal(url, "") or ""
    found = url.removeprefix(with_slash(base)) if url.startswith(with_slash(base)) else url
    path, _, query = found.lstrip("/").partition("?")
    if not own or "://" in path or ".." in path.split("/"):
        raise FhirError("invalid", "url is relative to the base of this hub, as in Patient/123.", expression=f"{where}.request.url")
    return path, query


def body_of(entry: Entry) -> tuple[str, bytes]:
    """Content type and body of the request that the entry stands for; a JSON Patch travels in a Binary."""
    content = entry.content
    if content is None:
        return "", b""
    if entry.method == "PATCH" and content.get("resourceType") == "Binary":
        try:
            return str(content.get("contentType", "")), base64.b64decode(str(content.get("data", "")), validate=True)
        except binascii.Error:
            raise entry.error("value", "data has to be base64.", ".resource.data") from None
    return "application/fhir+json", orjson.dumps(content, default=_digits)


def _digits(value: Any) -> Any:
    return orjson.Fragment(value.text)


def response(status: int, headers: Mapping[str, str], updated_us: int | None = None) -> dict[str, Any]:
    """Bundle.entry.response: what the headers of a single answer would say.

    updated_us  meta.lastUpdated, which lastModified has to be where there is a resource; headers know seconds only
    """
    made: dict[str, Any] = {"status": f"{status} {HTTPStatus(status).phrase}"}
    for name, header in (("location", "location"), ("etag", "etag")):
        if header in headers:
            made[name] = headers[header]
    if updated_us is not None:
        made["lastModified"] = fhir_instant(updated_us)
    return made
