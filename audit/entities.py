"""What it was about: AuditEvent.entity.

BALP tells its slices apart by the type alone: type 1 is the patient, type 2 the one resource or the query. Everything
else therefore has the type of its resource (http://hl7.org/fhir/resource-types).
"""

import re
from functools import lru_cache
from typing import Any

from audit.interaction import Item
from audit.kinds import BALP, TERMINOLOGY, Coding, coding

CACHED_MAX = 1_024
TARGET = re.compile(r"([A-Z][A-Za-z]{1,63})(/[A-Za-z0-9.-]{1,64})?")
"""Type, or type and id. https://hl7.org/fhir/R4/datatypes.html#id"""
CONSENT = "consent "
"""How the basis of an item begins when a Consent decided; its reference follows."""

PERSON = coding(f"{TERMINOLOGY}/audit-entity-type", "1", "Person")
SYSTEM_OBJECT = coding(f"{TERMINOLOGY}/audit-entity-type", "2", "System Object")
PATIENT = coding(f"{TERMINOLOGY}/object-role", "1", "Patient")
DOMAIN_RESOURCE = coding(f"{TERMINOLOGY}/object-role", "4", "Domain Resource")
SECURITY_RESOURCE = coding(f"{TERMINOLOGY}/object-role", "13", "Security Resource")
QUERY = coding(f"{TERMINOLOGY}/object-role", "24", "Query")
REQUEST_ID = coding(f"{BALP}/CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id")

Json = dict[str, Any]


def of_patient(patient: str) -> Json:
    return {"what": {"reference": patient}, "type": PERSON, "role": PATIENT}


def of_query(line: str) -> Json:
    """`line`: base64 (`audit.query_text`)."""
    return {"type": SYSTEM_OBJECT, "role": QUERY, "query": line}


def of_request(request_id: str) -> Json:
    return {"what": {"identifier": {"value": request_id}}, "type": REQUEST_ID}


def of_target(target: str) -> Json:
    """What a request named and did not get: a resource, a type, or something that is neither."""
    found = TARGET.fullmatch(target)
    if found is None:
        what = {"display": target}
    elif found[2]:
        what = {"reference": target}
    else:
        what = {"type": target, "display": target}
    return {"what": what, "type": SYSTEM_OBJECT, "role": DOMAIN_RESOURCE}


def of_item(item: Item, *, alone: bool, detail: list[Json] | None) -> Json:
    """`alone`: the one resource of the event; `detail`: what is said of it to its patient."""
    reference = item.reference if item.version is None else f"{item.reference}/_history/{item.version}"
    made: Json = {
        "what": {"reference": reference},
        "type": SYSTEM_OBJECT if alone else resource_type(item.reference.partition("/")[0]),
        "role": DOMAIN_RESOURCE,
    }
    if detail:
        made["detail"] = detail
    return made


def detail_of(item: Item, *, basis: bool) -> list[Json]:
    """Category and origin (EHDS annex II 3.2 c and e), and its own basis where an event has several."""
    if not basis and item.category is None and item.origin is None:
        return []  # as for most of a page
    said = (("category", item.category), ("origin", item.origin), ("basis", item.basis if basis else None))
    return [{"type": word, "valueString": value} for word, value in said if value]


def consents_of(bases: tuple[str, ...]) -> list[Json]:
    """The versions of the Consents that decided."""
    type = resource_type("Consent")
    references = (basis.removeprefix(CONSENT) for basis in bases if basis.startswith(CONSENT))
    return [{"what": {"reference": reference}, "type": type, "role": SECURITY_RESOURCE} for reference in references]


def references(entities: list[Json]) -> frozenset[str]:
    """Whom and what the entities name, without versions."""
    whats = (entity["what"] for entity in entities if "what" in entity)
    return frozenset(what["reference"].partition("/_history/")[0] for what in whats if "reference" in what)


@lru_cache(CACHED_MAX)
def resource_type(name: str) -> Coding:
    return coding("http://hl7.org/fhir/resource-types", name, name)
