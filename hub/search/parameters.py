"""The search parameters the hub knows: a resource type is a row, a parameter is a row of it.

https://hl7.org/fhir/R4/searchparameter-registry.html. Parsing, indexing, compiling, re-checking and the
CapabilityStatement all read these rows; nothing else names a parameter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hub.search.systems import (
    AUDIT_EVENT_SUBTYPES,
    AUDIT_EVENT_TYPES,
    CONSENT_CATEGORIES,
    CONSENT_SCOPES,
    DEVICE_TYPES,
    OBSERVATION_CATEGORIES,
    OBSERVATION_CODES,
)

SearchType = Literal["token", "reference", "date", "string", "id"]
"""R4 calls `_id` a token; it has neither system nor modifiers here, so it is a type of its own inside the hub."""

Where = Literal["k", "g", "p", "de", "lu", "id", "birthdate", "opened"]
"""What of a stored row decides: tokens within a patient (k) or across patients (g), the compartment (p), effective
times (d, e), lastUpdated (lu), the id, the tokens of a birth date; `opened`: nothing, only the opened resource."""

Element = Literal["concept", "code", "boolean", "Identifier"]
"""What a token parameter reads: Coding and CodeableConcept, code or string, boolean, Identifier."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One search parameter of one resource type.

    paths    element names from the resource down; lists are walked
    spaces   the token spaces that answer it; its own code unless other rows' tokens already say it (combo-code)
    systems  concept: code systems that get no any-system token; code, boolean: the element's own system
    targets  reference: resource types it may point to; empty is any type
    """

    code: str
    type: SearchType
    paths: tuple[Path, ...]
    where: Where
    element: Element = "concept"
    spaces: tuple[str, ...]
    systems: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """One resource type.

    compartment        the element that names the patient to whom a resource belongs (the Patient itself: its id)
    compartment_space  the space whose references to a patient are all told by the compartment, so need no token
    """

    name: str
    compartment: Path | None
    compartment_space: str | None
    parameters: Mapping[str, Parameter]


def resource_type(name: str) -> ResourceType | None:
    return RESOURCE_TYPES.get(name)


def _paths(*dotted: str) -> tuple[Path, ...]:
    return tuple(tuple(path.split(".")) for path in dotted)


def _concept(code: str, *paths: str, systems: tuple[str, ...], spaces: tuple[str, ...] = ()) -> Parameter:
    return Parameter(code=code, type="token", paths=_paths(*paths), where="k", systems=systems, spaces=spaces or (code,))


def _code(code: str, path: str, *systems: str) -> Parameter:
    return Parameter(code=code, type="token", paths=_paths(path), where="k", element="code", systems=systems, spaces=(code,))


def _boolean(code: str, path: str) -> Parameter:
    system = "http://terminology.hl7.org/CodeSystem/special-values"
    return Parameter(code=code, type="token", paths=_paths(path), where="k", element="boolean", systems=(system,), spaces=(code,))


def _identifier(where: Where) -> Parameter:
    return Parameter(code="identifier", type="token", paths=_paths("identifier"), where=where, element="Identifier", spaces=("identifier",))


def _reference(code: str, *paths: str, targets: str = "", where: Where = "k", spaces: tuple[str, ...] = ()) -> Parameter:
    return Parameter(
        code=code, type="reference", paths=_paths(*paths), where=where, targets=tuple(targets.split()), spaces=spaces or (code,)
    )


def _date(code: str, *paths: str, where: Where = "de") -> Parameter:
    return Parameter(code=code, type="date", paths=_paths(*paths), where=where, spaces=(code,))


def _string(code: str, *paths: str, spaces: tuple[str, ...] = ()) -> Parameter:
    return Parameter(code=code, type="string", paths=_paths(*paths), where="g", spaces=spaces or (code,))


def _human_name() -> tuple[Parameter, ...]:
    """https://hl7.org/fhir/R4/patient.html#search: `name` looks into each part of a HumanName."""
    parts = ("name.text", "name.family", "name.given", "name.prefix", "name.suffix")
    return (
        _string("name", *parts, spaces=("name", "family", "given")),
        _string("family", "name.family"),
        _string("given", "name.given"),
    )


def _type(name: str, compartment: str | None, *parameters: Parameter) -> ResourceType:
    path = None if compartment is None else tuple(compartment.split("."))
    rows = {row.code: row for row in (*COMMON, *parameters)}
    told = [row.code for row in parameters if row.where == "p" and row.paths == (path,) and row.code in row.spaces]
    return ResourceType(name=name, compartment=path, compartment_space=told[0] if told else None, parameters=rows)


COMMON = (
    Parameter(code="_id", type="id", paths=_paths("id"), where="id", spaces=()),
    _date("_lastUpdated", "meta.lastUpdated", where="lu"),
)

AGENTS = "Practitioner PractitionerRole Organization Device Patient RelatedPerson"

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    row.name: row
    for row in (
        _type(
            "Patient",
            "id",
            _identifier("g"),
            *_human_name(),
            _date("birthdate", "birthDate", where="birthdate"),
            _code("gender", "gender", "http://hl7.org/fhir/administrative-gender"),
            _boolean("active", "active"),
            _reference("organization", "managingOrganization", targets="Organization"),
        ),
        _type("Practitioner", None, _identifier("g"), *_human_name(), _boolean("active", "active")),
        _type("Organization", None, _identifier("g"), _string("name", "name", "alias"), _boolean("active", "active")),
        _type(
            "Device",
            None,
            _identifier("g"),
            _string("device-name", "deviceName.name", "type.coding.display", "type.text"),
            _string("manufacturer", "manufacturer"),
            _string("model", "modelNumber"),
            _concept("type", "type", systems=DEVICE_TYPES),
            _code("status", "status", "http://hl7.org/fhir/device-status"),
            _reference("patient", "patient", targets="Patient"),
        ),
        _type(
            "Observation",
            "subject",
            _reference("patient", "subject", targets="Patient", where="p", spaces=("subject",)),
            _reference("subject", "subject", targets="Patient Group Device Location", where="p"),
            _concept("code", "code", systems=OBSERVATION_CODES),
            _concept("component-code", "component.code", systems=OBSERVATION_CODES),
            _concept("combo-code", "code", "component.code", systems=OBSERVATION_CODES, spaces=("code", "component-code")),
            _concept("category", "category", systems=OBSERVATION_CATEGORIES),
            _date("date", "effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant"),
            _reference("device", "device", targets="Device DeviceMetric"),
            _code("status", "status", "http://hl7.org/fhir/observation-status"),
            _identifier("k"),
            _reference("performer", "performer", targets="Practitioner PractitionerRole Organization CareTeam Patient RelatedPerson"),
        ),
        _type(
            "Consent",
            "patient",
            _reference("patient", "patient", targets="Patient", where="p"),
            _code("status", "status", "http://hl7.org/fhir/consent-state-codes"),
            _concept("scope", "scope", systems=CONSENT_SCOPES),
            _concept("category", "category", systems=CONSENT_CATEGORIES),
            _date("date", "dateTime"),
            _date("period", "provision.period", where="opened"),
            _identifier("k"),
        ),
        _type(
            "AuditEvent",
            "entity.what",
            _date("date", "recorded"),
            _reference("patient", "agent.who", "entity.what", targets="Patient", where="p", spaces=("agent", "entity")),
            _reference("agent", "agent.who", targets=AGENTS),
            _reference("entity", "entity.what"),
            _code("action", "action", "http://hl7.org/fhir/audit-event-action"),
            _code("outcome", "outcome", "http://hl7.org/fhir/audit-event-outcome"),
            _concept("type", "type", systems=AUDIT_EVENT_TYPES),
            _concept("subtype", "subtype", systems=AUDIT_EVENT_SUBTYPES),
            _code("altid", "agent.altId"),
        ),
    )
}
