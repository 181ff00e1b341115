"""What each role may ask for, as rows. The role decides what can be delegated; what it reaches is decided at each request.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html. `system/` scopes speak for a client by itself and are
given to nobody. A wildcard covers no AuditEvent (`security.scopes`), so where it is not named nobody reads the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from security.oauth.person import Role
from security.oauth.scope_request import ScopeRequest
from security.scopes import CONFORMANCE

IDENTITY: Final = "openid fhirUser profile"
LAUNCHING: Final = "launch launch/patient launch/encounter"
SESSION: Final = "online_access"
"""A word of its own: in one parameter it excludes `offline_access`."""
ADMINISTRATIVE: Final = (
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Location",
    "HealthcareService",
    "Endpoint",
    "DeviceDefinition",
)
"""Who works where, and with which products: nothing of a patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """`allowed`: what can be granted at most. `purpose`: code of v3-ActReason, bound into each token of such a person."""

    role: Role
    allowed: ScopeRequest
    purpose: str

    @property
    def launches(self) -> bool:
        """May a patient be in context?"""
        return any(scope.level == "patient" for scope in self.allowed.resources.items)


def _row(role: Role, purpose: str, resources: str, *, launching: bool = False, offline: bool = False) -> RoleRow:
    words = ScopeRequest.parse(" ".join((IDENTITY, SESSION, *((LAUNCHING,) if launching else ()), resources)))
    more = frozenset({"offline_access"}) if offline else frozenset()
    return RoleRow(role=role, allowed=ScopeRequest(words.resources, words.context | more), purpose=purpose)


def _user(letters: str, *types: str) -> str:
    return " ".join(f"user/{type}.{letters}" for type in types)


ROLE_ROWS: Final[Mapping[Role, RoleRow]] = {
    row.role: row
    for row in (
        _row("patient", "PATRQT", "patient/*.cruds user/*.cruds", launching=True, offline=True),
        _row("practitioner", "TREAT", "patient/*.cruds user/*.cruds", launching=True, offline=True),
        _row("compliance", "HCOMPL", _user("rs", "AuditEvent", "Organization", "Practitioner", "PractitionerRole", "Device")),
        _row("administrator", "HSYSADMIN", _user("cruds", *ADMINISTRATIVE, *sorted(CONFORMANCE))),
        _row("vendor", "HOPERAT", _user("rs", "DeviceDefinition", *sorted(CONFORMANCE)), offline=True),
    )
}


def allowed(role: Role, asked: ScopeRequest) -> ScopeRequest:
    """What of a request somebody of this role may grant; may be empty."""
    return asked.within(ROLE_ROWS[role].allowed)
