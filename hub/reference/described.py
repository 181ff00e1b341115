"""What can be said of an interaction: the shape of a row of `hub.reference.interactions` and its neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hub.console.words import Said

Body = Literal[
    "resource", "bundle", "patch", "parameters", "search", "token", "oauth", "payload", "assignment", "reason", "registration", "none"
]
"""What a request carries."""
Answer = Literal[
    "resource",
    "bundle",
    "outcome",
    "statement",
    "configuration",
    "token",
    "fates",
    "fate",
    "registration",
    "items",
    "waiting",
    "discarded",
    "text",
    "page",
    "openapi",
    "none",
]
"""What an answer holds when all went well."""

CALLER = (401, 403, 404, 406, 500, 503)
"""No token, no scope, nothing there, no such format, our fault, not now: of every route that asks who is calling."""
INPUT = (400, 413, 415, 422)
"""Not understood, too long, another format, against the rules: of every route that takes something in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One interaction.

    spec      page and anchor under https://hl7.org/fhir/R4/, or a whole address
    headers   request headers that change what is done
    query     parameters of the URL beside those of every FHIR answer
    done      status -> what it holds
    refused   statuses with an OperationOutcome (the token endpoint: an error of RFC 6749)
    """

    title: Said
    spec: str = ""
    body: Body = "none"
    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    done: Mapping[int, Answer]
    refused: tuple[int, ...] = CALLER
