"""What of a Consent the hub cannot decide by, so that the write path can refuse it.

A deny is held to more than a permit: a permit that is missed only hides, a deny that is missed shows.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from security.instance import PROFILES
from security.period import OPEN_START_US
from security.words import (
    ACT_REASON,
    CONSENT_ACTION,
    PARTICIPATION_TYPE,
    RECIPIENT_ROLES,
    SILENT_SCOPES,
    Json,
    class_of,
    code_pairs,
    concept_words,
    date_us_of,
    each,
    period_of,
    provision_of,
    readable_coding,
    reference_of,
    replaced_of,
    replaces_of,
    scope_codes,
    speaks,
    type_of,
)

Problem = tuple[str, str]
"""FHIRPath of the element and what is wrong with it; never a value."""

UNDERSTOOD: Final = frozenset({"id", "extension", "type", "period", "actor", "action", "purpose", "class", "code", "dataPeriod"})
R4_PROVISION: Final = UNDERSTOOD | {"modifierExtension", "securityLabel", "data", "provision"}

CALLER_TYPES: Final = frozenset({"Organization", "Device"})
"""What a caller can be named by: the organisation acted for, or the client itself."""

DENIED_WITH: Final = {"access": "access", "use": "access", "disclose": "access", "collect": "collect", "correct": "collect"}
"""Who may not access can neither use nor disclose, who may not collect cannot correct; the converse cannot be enforced."""

_LATER: Final = "is not supported yet: the hub does not decide by this element"
_UNREADABLE: Final = "is not readable as R4 writes it"
_NOT_COMPARABLE: Final = "is not supported: the hub compares codes with a system, profiles without version, and actors named as Type/id"
_NOT_TOLD: Final = "is not supported in a deny: the hub cannot tell for sure whom or what it means"


def problems(consent: Json) -> tuple[Problem, ...]:
    """(FHIRPath, text) of each thing in a Consent that the hub cannot decide by; none if it does not speak of access.

    The write path answers them with 422 not-supported.
    """
    found: dict[str, str] = {}
    for expression, text in chain.from_iterable(check(consent) for check in CHECKS) if speaks(consent) else ():
        found.setdefault(expression, text)
    return tuple(found.items())


def _elements(consent: Json) -> Iterator[Problem]:
    """What is not understood yet: a later issue takes its elements into UNDERSTOOD."""
    if not isinstance(consent.get("provision", {}), Mapping):
        yield "Consent.provision", _UNREADABLE
    for name in sorted(provision_of(consent).keys() - UNDERSTOOD):
        # Only names that R4 knows are repeated: any other may be a value in disguise.
        yield f"Consent.provision.{name}" if name in R4_PROVISION else "Consent.provision", _LATER
    for name in sorted({"implicitRules", "modifierExtension"} & consent.keys()):
        yield f"Consent.{name}", _LATER


def _root(consent: Json) -> Iterator[Problem]:
    if not (reference_of(consent.get("patient")) or "").startswith("Patient/"):
        yield "Consent.patient", "must be a reference of the form Patient/id"
    if scope_codes(consent) & SILENT_SCOPES:
        yield "Consent.scope", "names a scope that speaks of access and one that does not"
    if provision_of(consent).get("type", "permit") not in ("permit", "deny"):
        yield "Consent.provision.type", "must be permit or deny"


def _times(consent: Json) -> Iterator[Problem]:
    provision = provision_of(consent)
    for name in ("period", "dataPeriod"):
        if name in provision and period_of(provision, name) is None:
            yield f"Consent.provision.{name}", _UNREADABLE
    if "dateTime" in consent and date_us_of(consent) == OPEN_START_US:
        yield "Consent.dateTime", _UNREADABLE


def _superseding(consent: Json) -> Iterator[Problem]:
    for extension in replaces_of(consent):
        if replaced_of(extension) is None:
            yield "Consent.extension", "must name what this consent replaces in a valueReference of the form Consent/id"
        if "dateTime" not in consent:
            yield "Consent.dateTime", "is needed to tell that this consent is later than the one it replaces"


def _repeated(consent: Json) -> Iterator[Problem]:
    """An element that is there but holds nothing readable must not come out as one that does not constrain."""
    provision = provision_of(consent)
    for name, readable in READABLE.items():
        if name in provision:
            yield from _unreadable(provision[name], f"Consent.provision.{name}", readable)


def _unreadable(values: Any, expression: str, readable: Callable[[Json], bool]) -> Iterator[Problem]:
    if not isinstance(values, list) or not values:
        yield expression, _UNREADABLE
        return
    for index, value in enumerate(values):
        if not (isinstance(value, Mapping) and readable(value)):
            yield f"{expression}[{index}]", _NOT_COMPARABLE


def _denied(consent: Json) -> Iterator[Problem]:
    """A deny must never be missed because the hub lacks a fact."""
    if type_of(consent) == "permit":
        return
    provision = provision_of(consent)
    actions = {word for action in each(provision, "action") for word in concept_words(action, CONSENT_ACTION)}
    for name, told in TOLD.items():
        for index, value in enumerate(each(provision, name)):
            if not told(value):
                yield f"Consent.provision.{name}[{index}]", _NOT_TOLD
    for index, action in enumerate(each(provision, "action")):
        if not all(DENIED_WITH.get(word) in actions for word in concept_words(action, CONSENT_ACTION)):
            yield f"Consent.provision.action[{index}]", "can be denied only with access (use, disclose) or collect (correct)"


def _readable_actor(actor: Json) -> bool:
    known = actor.keys() <= {"id", "extension", "role", "reference"}
    return known and reference_of(actor.get("reference")) is not None and ("role" not in actor or _readable_concept(actor["role"]))


def _readable_concept(concept: Any) -> bool:
    codings = concept.get("coding") if isinstance(concept, Mapping) else None
    return isinstance(codings, list) and bool(codings) and all(map(readable_coding, codings))


def _readable_class(coding: Json) -> bool:
    if not readable_coding(coding):
        return False
    system, code = class_of(coding)
    # A row tells which profiles it claims, not in which business version.
    return system is not None and not (system == PROFILES and "|" in code)


def _readable_code(concept: Json) -> bool:
    return _readable_concept(concept) and bool(code_pairs(concept))


def _told_actor(actor: Json) -> bool:
    roles = concept_words(actor.get("role"), PARTICIPATION_TYPE)
    type_ = (reference_of(actor.get("reference")) or "").partition("/")[0]
    return type_ in CALLER_TYPES and (not roles or not RECIPIENT_ROLES.isdisjoint(roles))


def _told_purpose(coding: Json) -> bool:
    return coding.get("system") == ACT_REASON


def _told_class(coding: Json) -> bool:
    """A URL with a system of its own may be a category, but is compared as a profile."""
    if not readable_coding(coding) or class_of(coding)[0] != PROFILES:
        return True
    return coding.get("system", PROFILES) == PROFILES or "/StructureDefinition/" in coding["code"]


READABLE: Final[dict[str, Callable[[Json], bool]]] = {
    "actor": _readable_actor,
    "action": _readable_concept,
    "purpose": readable_coding,
    "class": _readable_class,
    "code": _readable_code,
}
TOLD: Final[dict[str, Callable[[Json], bool]]] = {
    "actor": _told_actor,
    "purpose": _told_purpose,
    "class": _told_class,
}
CHECKS: Final[tuple[Callable[[Json], Iterator[Problem]], ...]] = (_elements, _root, _times, _superseding, _repeated, _denied)
