"""The entries of a transaction as they are understood, in which order they come, and where in the Bundle an error belongs.

https://hl7.org/fhir/R4/http.html#trules: DELETE, POST, PUT and PATCH, GET, whatever the order of the entries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hub.errors import FhirError, Issue, Unprocessable
from hub.repository.attempt import Apply
from hub.repository.compartment import ABOUT
from hub.repository.precondition import ANY, Precondition
from hub.repository.reading import Resource
from hub.search.parse import Search

Method = Literal["DELETE", "POST", "PUT", "PATCH", "GET", "HEAD"]
ORDER: Mapping[Method, int] = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
FIRST = ("Patient", "Consent")
"""Written before the others of their kind: what they permit holds for the rest of the transaction. Deleted after them."""
READS = ("GET", "HEAD")
WRITES = ("POST", "PUT", "PATCH")
OF_URL = "http."
"""How an expression begins that is about a parameter or a header, which stands in the request of the entry."""
HEADERS: Mapping[str, str] = {"If-Match": "ifMatch", "If-None-Match": "ifNoneMatch", "If-None-Exist": "ifNoneExist"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry, understood. `search`: criteria instead of an id; `version`: of a vread."""

    place: int
    method: Method
    type: str
    id: str | None = None
    version: int | None = None
    content: Mapping[str, Any] | None = None
    apply: Apply | None = None
    search: Search | None = None
    on: Precondition = ANY
    full_url: str | None = None

    @property
    def turn(self) -> tuple[int, int]:
        """Where it comes in the order of all. What says something of others comes after what it may be about, whatever its verb."""
        if self.type in ABOUT and self.method in WRITES:
            return ORDER["PUT"], len(FIRST) + 1
        rank = FIRST.index(self.type) if self.type in FIRST else len(FIRST)
        return ORDER[self.method], -rank if self.method == "DELETE" else rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an entry. `version`: of a deletion, which leaves no resource; `shown`: as `Done.shown`."""

    how: str
    resource: Resource | None = None
    version: int | None = None
    shown: bool = True


class at:  # noqa: N801 (reads as a word: with at(step))
    """Says which entry an error is about."""

    def __init__(self, step: Step) -> None:
        self._place, self._creates = step.place, step.method == "POST"

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> None:
        if isinstance(error, FhirError):
            raise at_entry(error, self._place, creates=self._creates) from error


def at_entry(error: FhirError, place: int, *, creates: bool = False) -> FhirError:
    """The same error, with the place in the Bundle instead of the place in the resource. `creates`: its criteria are ifNoneExist."""
    issues = [Issue(code=one.code, text=one.text, expression=_in_bundle(one.expression, place, creates)) for one in error.issues]
    return (Unprocessable if isinstance(error, Unprocessable) else FhirError).of(issues)


def _in_bundle(expression: str | None, place: int, creates: bool) -> str:
    entry = f"Bundle.entry[{place}]"
    if expression is None:
        return entry
    if expression.startswith("Bundle."):
        return expression
    if expression.startswith(OF_URL):
        element = HEADERS.get(expression.removeprefix(OF_URL), "ifNoneExist" if creates else "url")
        return f"{entry}.request.{element}"
    type, dot, rest = expression.partition(".")
    inside = rest if type[:1].isupper() else f"{type}{dot}{rest}"
    return f"{entry}.resource.{inside}" if inside else f"{entry}.resource"
