"""What an operation was given: parameters of the URL, or a Parameters resource. https://hl7.org/fhir/R4/operations.html"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request

from hub.errors import FhirError, IssueCode
from hub.http import parse_resource, read_body
from hub.repository import Repository

PARAMETERS_MAX = 100
VALUE = "value"
SHAPING = frozenset({"_format", "_pretty"})
"""They shape any answer and are no business of an operation. Parts of resources are not offered for what an operation answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Parameters by name, in order. A value is text from the URL, or JSON of the type it was sent with."""

    values: Mapping[str, Sequence[Any]]

    def only(self, *known: str) -> None:
        """Raises FhirError for a parameter that the operation does not have: left out, it would be another question."""
        for name in self.values:
            if name not in known:
                shown = name if name.replace("-", "").replace("_", "").isalpha() else "(name not shown)"
                place = None if shown.startswith("(") else place_of(name)
                raise FhirError(
                    "not-supported", f"The operation has no parameter {shown}; it takes {', '.join(sorted(known))}.", expression=place
                )

    def all(self, name: str) -> Sequence[Any]:
        return self.values.get(name, ())

    def one(self, name: str) -> Any | None:
        found = self.all(name)
        if len(found) > 1:
            bad(name, "may be given once")
        return found[0] if found else None

    def texts(self, name: str) -> list[str]:
        """Strings, codes, dates, references by their text."""
        return [_text(name, one) for one in self.all(name)]

    def text(self, name: str) -> str | None:
        found = self.one(name)
        return None if found is None else _text(name, found)

    def number(self, name: str) -> int | None:
        found = self.one(name)
        if found is None or (type(found) is int and found >= 0):
            return found
        text = str(found)
        if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004
            bad(name, "must be a whole number from 0")
        return int(text)

    def flag(self, name: str) -> bool:
        found = self.one(name)
        if found in (None, False, "false"):
            return False
        if found in (True, "true"):
            return True
        return bad(name, "must be true or false")


async def given(request: Request, repository: Repository) -> Given:
    """GET: the query. POST: a Parameters resource, the query beside it. Raises FhirError.

    What is sent is a resource like any other: it is held against R4, with what it carries, before anybody reads it.
    """
    content = None
    if request.method == "POST":
        body = await read_body(request, repository.services.settings.max_body_bytes)
        if body:
            content = parse_resource("Parameters", request.headers.get("content-type", ""), body)
            repository.services.check(content)
    return given_in(request, content)


def given_in(request: Request, content: Mapping[str, Any] | None) -> Given:
    """The parameters of the URL, and those of a Parameters resource. Raises FhirError."""
    try:
        pairs = parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX)
    except ValueError:
        raise FhirError("invalid", f"The parameters are not valid UTF-8, or more than {PARAMETERS_MAX}.") from None
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        if name not in SHAPING:
            values.setdefault(name, []).append(value)
    if content is not None:
        _add(values, content)
    return Given(values=values)


def bad(name: str, text: str, code: IssueCode = "invalid") -> NoReturn:
    raise FhirError(code, f"The parameter {name} {text}.", expression=place_of(name))


def place_of(name: str) -> str:
    """As if all had come in a Parameters resource; those of the URL mean the same. https://hl7.org/fhir/R4/operations.html#request"""
    return f"Parameters.parameter.where(name='{name}')"


def _add(values: dict[str, list[Any]], content: Mapping[str, Any]) -> None:
    parameters = content.get("parameter", [])
    if not isinstance(parameters, list) or len(parameters) > PARAMETERS_MAX:
        raise FhirError(
            "structure", f"Parameters.parameter has to be an array of at most {PARAMETERS_MAX}.", expression="Parameters.parameter"
        )
    for parameter in parameters:
        if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str):
            raise FhirError("required", "Each parameter needs a name.", expression="Parameters.parameter.name")
        held = [one for key, one in parameter.items() if key == "resource" or key.startswith(VALUE)]
        if len(held) != 1:
            raise FhirError("structure", "Each parameter needs one value or one resource.", expression="Parameters.parameter")
        values.setdefault(parameter["name"], []).append(held[0])


def _text(name: str, value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("reference")
    if isinstance(value, bool) or not isinstance(value, str) or not value:
        bad(name, "must be a text")
    return value
