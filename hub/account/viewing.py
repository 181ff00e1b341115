"""The patients that a person may see, for the pages on which one is chosen or named: through the one door, decided and recorded.

What stands between them and the data is `hub.oauth.seeing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from hub.oauth.seeing import patient_seen, repository_through
from hub.people.visit import Visit
from hub.recording import RequestFacts
from hub.repository import Repository
from hub.search.parse import parse_search
from security.oauth.authorization import Authorization
from security.oauth.clients import Client

ENCOUNTERS_MAX: Final = 20
NO_ENCOUNTER: Final = "*"
"""None of them, in a form: what no id can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """As a list shows a patient: what tells two of one name apart."""

    id: str
    name: str
    birth_date: str
    identifiers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """As a list shows a visit: when it was, and what kind it was, as far as its record says."""

    id: str
    begin: str
    end: str
    kind: str


def repository_of(visit: Visit, client: Client) -> Repository:
    """Of the person who signed in, through this app."""
    return repository_through(visit.services, visit.signed.account.person, client, _facts(visit))


async def patient_of(visit: Visit, client: Client, id: str) -> Patient | None:
    """The patient, if this person may see it now; recorded as a read."""
    found = await patient_seen(repository_of(visit, client), id)
    return None if found is None else patient_from(found.id, orjson.loads(found.json))


async def encounters_of(visit: Visit, client: Client, patient: str) -> tuple[Encounter, ...]:
    """The patient's visits that this person may see, the latest first; recorded as a search."""
    asked = [("patient", f"Patient/{patient}"), ("_sort", "-date"), ("_count", str(ENCOUNTERS_MAX))]
    found = await repository_of(visit, client).search(parse_search("Encounter", asked, lenient=False), None)
    return tuple(_encounter(one.resource.id, orjson.loads(one.resource.json)) for one in found.matches)


async def name_in_context(visit: Visit, client: Client, authorization: Authorization) -> str | None:
    """What the patient in context is called."""
    patient = authorization.launch.patient
    found = None if patient is None else await patient_of(visit, client, patient)
    return None if found is None else found.name


def patient_from(id: str, content: Mapping[str, Any]) -> Patient:
    names = content.get("name", ())
    chosen = next((one for one in names if one.get("use") == "official"), names[0] if names else {})
    given = " ".join(chosen.get("given", ()))
    written = chosen.get("text") or " ".join(part for part in (given, chosen.get("family", "")) if part)
    identifiers = tuple(str(one["value"]) for one in content.get("identifier", ()) if "value" in one)
    return Patient(id=id, name=written or "–", birth_date=str(content.get("birthDate", "")), identifiers=identifiers)


def _encounter(id: str, content: Mapping[str, Any]) -> Encounter:
    period, types = content.get("period", {}), content.get("type", ())
    said = [one.get("text") or next((coding.get("display", "") for coding in one.get("coding", ())), "") for one in types]
    kind = (
        ", ".join(text for text in said if text) or content.get("class", {}).get("display", "") or content.get("class", {}).get("code", "")
    )
    return Encounter(id=id, begin=_minute(period.get("start", "")), end=_minute(period.get("end", "")), kind=kind)


def _minute(text: str) -> str:
    """As written, without seconds and offset: people tell visits apart by day and hour."""
    return text[:16].replace("T", " ")


def own_record(visit: Visit) -> str | None:
    """Id of the Patient that the person is; None for who is none."""
    type, _, id = (visit.signed.account.person.fhir_user or "").partition("/")
    return id if type == "Patient" else None


def _facts(visit: Visit) -> RequestFacts:
    """Of the same request, but for the query: on these pages it may hold a secret, which no record of data keeps."""
    return replace(visit.facts, query="")
