"""Finding a patient, for whoever has to choose one: by name, birth date or identifier, page by page.

A search like any other (https://hl7.org/fhir/R4/search.html), made through the repository of `hub.account.viewing`. It is sent by a form
and not by a link, so that no name stands in an address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import orjson

from hub.account.viewing import Patient, patient_from, repository_of
from hub.errors import FhirError
from hub.interactions.search_page import cursor_of, pages
from hub.people.visit import Visit
from hub.repository import Repository
from hub.search.asked import Pair, Search
from hub.search.grammar import escape
from hub.search.page import Cursor
from hub.search.parse import parse_search
from security.oauth.clients import Client

PAGE_SIZE: Final = 10
TEXT_MAX_CHARS: Final = 200
DATE: Final = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
FIELDS: Final = ("name", "birthdate", "identifier")
UNREADABLE: Final = frozenset({"invalid", "value", "not-supported", "too-costly", "not-found"})
"""What can be wrong with a question, or with a link to another page of its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picker:
    """asked   what was typed, by field
    patients  None before anything was asked
    fault     key of the word for what is wrong with the question
    pages     relation ("next", "previous") to the opaque text of that page
    """

    asked: Mapping[str, str]
    patients: tuple[Patient, ...] | None = None
    fault: str | None = None
    pages: Mapping[str, str]


def blank() -> Picker:
    return Picker(asked={}, pages={})


async def picker(visit: Visit, client: Client) -> Picker:
    """What the form that came asks for. Raises FhirError."""
    asked = {field: visit.form[field].strip()[:TEXT_MAX_CHARS] for field in FIELDS if visit.form.get(field, "").strip()}
    if "page" not in visit.form and not asked:
        return Picker(asked=asked, fault="pick-nothing", pages={})
    if "birthdate" in asked and DATE.fullmatch(asked["birthdate"]) is None:
        return Picker(asked=asked, fault="pick-date", pages={})
    repository = repository_of(visit, client)
    try:
        search, cursor = _search(asked, visit.form.get("page"), repository)
        repository.facts.query = urlencode(search.used)  # the log has the question, wherever it stood
        found = await repository.search(search, cursor)
    except FhirError as error:
        if error.code not in UNREADABLE:
            raise
        return Picker(asked=asked, fault="pick-unreadable", pages={})
    rows = tuple(patient_from(one.resource.id, orjson.loads(one.resource.json)) for one in found.matches)
    beside = dict(pages("Patient", search.used, found, cursor, repository))
    return Picker(asked=asked, patients=rows, pages={name: beside[name] for name in ("previous", "next") if name in beside})


def _search(asked: Mapping[str, str], page: str | None, repository: Repository) -> tuple[Search, Cursor | None]:
    if page is not None:
        cursor = cursor_of("Patient", page, repository)
        return parse_search("Patient", cursor.pairs, lenient=True), cursor
    pairs: list[Pair] = [(field, value if field == "birthdate" else escape(value)) for field, value in asked.items()]
    return parse_search("Patient", [*pairs, ("_count", str(PAGE_SIZE))], lenient=False), None
