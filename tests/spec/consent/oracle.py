"""A second, naive judge of the readings in docs/consent.md, sharing no code with the hub's own.

It works on FHIR JSON and datetimes, looks at everything each time, and is allowed to be slow.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
POLICY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
TYPES = "http://hl7.org/fhir/resource-types"
URI = "urn:ietf:rfc:3986"
REPLACES = "http://hds-hub.invalid/fhir/StructureDefinition/consent-replaces"

DATED_BY = {
    "Condition": ("onsetDateTime", "onsetPeriod"),
    "Consent": ("dateTime",),
    "DiagnosticReport": ("effectiveDateTime", "effectivePeriod"),
    "Encounter": ("period",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod"),
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant"),
    "Provenance": ("recorded",),
    "RiskAssessment": ("occurrenceDateTime",),
    "ServiceRequest": ("authoredOn",),
}
"""Where a resource of these types says when it is from."""

LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
FAR_OFF = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Caller:
    names: frozenset[str]
    purpose: str
    action: str


def judge(consents: list[dict], caller: Caller, resource: dict, *, default: bool, now: datetime) -> tuple[bool, str, str | None]:
    """(permitted, "consent" or "policy", the version that decided)."""
    standing = not_superseded([consent for consent in consents if says_something(consent) and in_force(consent, now)])
    for kind in ("deny", "permit"):
        voices = [consent for consent in standing if kind_of(consent) == kind and holds(consent, caller, resource)]
        if voices:
            named = max(voices, key=lambda consent: (dated(consent), consent["id"], consent["meta"]["versionId"]))
            return kind == "permit", "consent", f"Consent/{named['id']}/_history/{named['meta']['versionId']}"
    return default, "policy", None


# Which consents count


def says_something(consent: dict) -> bool:
    scopes = {c["code"] for c in consent["scope"].get("coding", []) if c.get("system") == SCOPE}
    silent = len(scopes) > 0 and all(scope in ("adr", "treatment") for scope in scopes)
    return consent["status"] == "active" and "patient" in consent and not silent


def in_force(consent: dict, now: datetime) -> bool:
    period = consent.get("provision", {}).get("period")
    if period is None or not is_period(period):
        return True
    start, end = span_of_period(period)
    return start <= now < end


def dated(consent: dict) -> datetime:
    return span(consent["dateTime"])[0] if "dateTime" in consent else LONG_AGO


def not_superseded(consents: list[dict]) -> list[dict]:
    replaces = {(new["id"], old["id"]) for new in consents for old in consents if replaces_it(new, old)}
    path = set(replaces)
    for _ in consents:
        path |= {(a, d) for a, b in path for c, d in path if b == c}
    dropped = {old for new, old in replaces if (old, new) not in path}
    return [consent for consent in consents if consent["id"] not in dropped]


def replaces_it(new: dict, old: dict) -> bool:
    named = [e["valueReference"]["reference"] for e in new.get("extension", []) if e["url"] == REPLACES]
    if f"Consent/{old['id']}" not in named or dated(new) < dated(old):
        return False
    return understood(new) or kind_of(old) == "permit"


def kind_of(consent: dict) -> str:
    written = consent.get("provision", {}).get("type")
    if written is not None:
        return written
    policies = [c["code"] for c in consent.get("policyRule", {}).get("coding", []) if c.get("system") == POLICY]
    return "permit" if "OPTIN" in policies and "OPTOUT" not in policies else "deny"


# What the hub understands


def understood(consent: dict) -> bool:
    provision = consent.get("provision", {})
    strange = {"provision", "securityLabel", "data", "modifierExtension"} & set(provision) or "modifierExtension" in consent
    scopes = {c["code"] for c in consent["scope"].get("coding", []) if c.get("system") == SCOPE}
    mixed = scopes & {"adr", "treatment"}
    bad_period = any(name in provision and not is_period(provision[name]) for name in ("period", "dataPeriod"))
    undated = any(e["url"] == REPLACES for e in consent.get("extension", [])) and "dateTime" not in consent
    if strange or mixed or bad_period or undated or not all(can_be_compared(provision)):
        return False
    return kind_of(consent) == "permit" or all(can_be_told(provision))


def can_be_compared(provision: dict):
    for actor in provision.get("actor", []):
        reference = actor.get("reference", {}).get("reference", "")
        yield reference.count("/") in (1, 3) and ":" not in reference and "?" not in reference
        yield "role" not in actor or bool(actor["role"].get("coding"))
    for name in ("action", "code"):
        for concept in provision.get(name, []):
            yield bool(concept.get("coding")) and all("code" in coding for coding in concept["coding"])
    for coding in provision.get("purpose", []):
        yield "code" in coding
    for coding in provision.get("class", []):
        yield "system" in coding or is_url(coding["code"])
        yield not (is_url(coding["code"]) and "|" in coding["code"])
    for concept in provision.get("code", []):
        yield any("system" in coding for coding in concept.get("coding", []))


def can_be_told(provision: dict):
    """A deny is enforced for sure or not taken."""
    for actor in provision.get("actor", []):
        yield actor["reference"]["reference"].split("/")[0] in ("Organization", "Device")
        yield "role" not in actor or any(is_recipient(coding) for coding in actor["role"]["coding"])
    actions = {c["code"] for concept in provision.get("action", []) for c in concept["coding"] if c.get("system") == ACTION}
    yield not ({"use", "disclose"} & actions) or "access" in actions
    yield "correct" not in actions or "collect" in actions
    for concept in provision.get("action", []):
        yield any(c.get("system") == ACTION for c in concept["coding"])
    for coding in provision.get("purpose", []):
        yield coding.get("system") == REASON
    for coding in provision.get("class", []):
        yield not is_url(coding["code"]) or coding.get("system") in (None, URI) or "/StructureDefinition/" in coding["code"]


def is_url(code: str) -> bool:
    return code.startswith(("http://", "https://"))


def is_recipient(coding: dict) -> bool:
    return coding.get("system") == PARTICIPATION and coding["code"] in ("IRCP", "PRCP")


# Whether a provision holds


def holds(consent: dict, caller: Caller, resource: dict) -> bool:
    if not understood(consent):
        return kind_of(consent) == "deny"
    provision = consent.get("provision", {})
    tests = {
        "actor": lambda actor: is_caller(actor, caller),
        "action": lambda concept: any(c.get("system") == ACTION and c["code"] == caller.action for c in concept["coding"]),
        "purpose": lambda coding: coding.get("system") == REASON and coding["code"] == caller.purpose,
        "class": lambda coding: belongs(resource, coding),
        "code": lambda concept: any((c.get("system"), c["code"]) in told_codings(resource) for c in concept["coding"]),
    }
    if resource["resourceType"] == "Binary" and kind_of(consent) == "deny":
        return all(any(map(tests[name], provision[name])) for name in ("actor", "action", "purpose") if name in provision)
    return all(name not in provision or any(map(test, provision[name])) for name, test in tests.items()) and in_data_period(
        consent, resource
    )


def is_caller(actor: dict, caller: Caller) -> bool:
    role_holds = "role" not in actor or any(is_recipient(coding) for coding in actor["role"]["coding"])
    return role_holds and "/".join(actor["reference"]["reference"].split("/")[:2]) in caller.names


def belongs(resource: dict, wanted: dict) -> bool:
    system, code = wanted.get("system"), wanted["code"]
    if system == TYPES:
        return resource["resourceType"] == code
    if system == URI or is_url(code):
        return any(code == profile.split("|")[0] for profile in resource.get("meta", {}).get("profile", []))
    categories = resource.get("category", [])
    concepts = categories if isinstance(categories, list) else [categories]
    return (system, code) in [(c.get("system"), c["code"]) for concept in concepts for c in concept.get("coding", []) if "code" in c]


def told_codings(resource: dict) -> list[tuple[str | None, str]]:
    """A code without its system tells nothing; the labels in the resource's own meta are not its content."""
    return [pair for name, child in resource.items() if name != "meta" for pair in codings(child) if pair[0]]


def codings(node: Any) -> list[tuple[str | None, str]]:
    if isinstance(node, list):
        return [found for item in node for found in codings(item)]
    if not isinstance(node, dict):
        return []
    found = [pair for child in node.values() for pair in codings(child)]
    is_quantity = "value" in node or "unit" in node or "comparator" in node
    if isinstance(node.get("code"), str) and not is_quantity:
        found.append((node.get("system"), node["code"]))
    return found


def in_data_period(consent: dict, resource: dict) -> bool:
    bounds = consent.get("provision", {}).get("dataPeriod")
    if bounds is None:
        return True
    data = data_span(resource)
    if data is None:
        return False
    (start, end), (first, last) = span_of_period(bounds), data
    return start <= first and last <= end if kind_of(consent) == "permit" else first < end and start < last


# Times


def data_span(resource: dict) -> tuple[datetime, datetime] | None:
    names = DATED_BY.get(resource["resourceType"], ())
    value = next((resource[name] for name in names if name in resource), None)
    if value is None or isinstance(value, str):
        return None if value is None else span(value)
    if "event" in value:
        events = [span(event) for event in value["event"]]
        return (min(e[0] for e in events), max(e[1] for e in events)) if events else None
    return span_of_period(value) if "start" in value or "end" in value else None


def is_period(period: dict) -> bool:
    start, end = span_of_period(period)
    return ("start" in period or "end" in period) and start < end


def span_of_period(period: dict) -> tuple[datetime, datetime]:
    return (
        span(period["start"])[0] if "start" in period else LONG_AGO,
        span(period["end"])[1] if "end" in period else FAR_OFF,
    )


def span(text: str) -> tuple[datetime, datetime]:
    if len(text) == 4:
        return datetime(int(text), 1, 1, tzinfo=UTC), datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    if len(text) == 7:
        first = datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC)
        return first, (first + timedelta(days=31)).replace(day=1)
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    if len(text) == 10:
        return moment, moment + timedelta(days=1)
    if "." in text:
        digits = len(text.split(".")[1].rstrip("Z").split("+")[0].split("-")[0])
        return moment, moment + timedelta(microseconds=10 ** (6 - min(digits, 6)))
    return moment, moment + timedelta(seconds=1)
