"""What each role may ask for: SMART App Launch 2.2, scopes and launch context; ASVS 5.0 8.1.1 (rules of access are written down)."""

import pytest

from security.oauth.person import ROLES, Role
from security.oauth.roles import ROLE_ROWS, allowed
from security.oauth.scope_request import ScopeRequest

PATIENT_DATA = ("Patient", "Observation", "Device", "Consent", "DiagnosticReport", "Binary")


def granted(role: Role, text: str) -> str:
    return allowed(role, ScopeRequest.parse(text)).text()


def test_there_is_a_row_for_each_role() -> None:
    """ASVS 5.0 8.2.1: whoever has no row may nothing."""
    assert set(ROLE_ROWS) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_system_scopes_are_given_to_nobody(role: Role) -> None:
    """SMART: system/ scopes are for clients by themselves; no person delegates them."""
    assert granted(role, "openid system/*.cruds system/AuditEvent.rs") == "openid"


@pytest.mark.parametrize("role", ROLES)
def test_only_compliance_officers_read_the_log(role: Role) -> None:
    """DESIGN law 1: AuditEvent is governed by policy; no wildcard covers it."""
    asked = "user/AuditEvent.rs user/*.cruds patient/*.cruds patient/AuditEvent.rs"
    found = allowed(role, ScopeRequest.parse(asked)).resources
    log = [scope for level in ("patient", "user", "system") for scope in found.covering("AuditEvent", "r", level=level)]  # type: ignore[arg-type]
    assert bool(log) == (role == "compliance")


@pytest.mark.parametrize("role", ["compliance", "administrator", "vendor"])
@pytest.mark.parametrize("level", ["patient", "user", "system"])
def test_who_treats_nobody_reaches_no_patient_data(role: Role, level: str) -> None:
    """GDPR Art. 5(1)(c): what the role does not need is not given."""
    found = allowed(role, ScopeRequest.parse("patient/*.cruds user/*.cruds system/*.cruds")).resources
    reached = [type for type in PATIENT_DATA if found.covering(type, "r", level=level)]  # type: ignore[arg-type]
    assert reached == (["Device"] if (role, level) == ("compliance", "user") else [])


@pytest.mark.parametrize("role", ["patient", "practitioner"])
def test_a_patient_and_who_treats_may_let_an_app_read_and_write(role: Role) -> None:
    """SMART: patient/ and user/ scopes, launch context, offline and online access."""
    for text in ("patient/*.cruds", "user/Observation.rs", "launch", "launch/patient", "offline_access", "online_access", "openid"):
        assert granted(role, text) == text


@pytest.mark.parametrize("role", ["compliance", "administrator"])
def test_who_sees_much_lets_no_app_go_on_without_them(role: Role) -> None:
    """ASVS 5.0 10.4.8, 7.3: what reaches far ends with the session."""
    assert granted(role, "offline_access openid") == "openid"


@pytest.mark.parametrize(
    ("role", "purpose"),
    [("patient", "PATRQT"), ("practitioner", "TREAT"), ("compliance", "HCOMPL"), ("administrator", "HSYSADMIN"), ("vendor", "HOPERAT")],
)
def test_the_purpose_follows_from_the_role(role: Role, purpose: str) -> None:
    """GDPR Art. 5(1)(b); codes of http://terminology.hl7.org/CodeSystem/v3-ActReason."""
    assert ROLE_ROWS[role].purpose == purpose


@pytest.mark.parametrize("role", ROLES)
def test_a_patient_is_in_context_of_those_alone_who_may_ask_for_one(role: Role) -> None:
    """SMART: launch/patient asks for a patient in context."""
    assert ROLE_ROWS[role].launches == (role in {"patient", "practitioner"})
    assert ("launch/patient" in granted(role, "launch/patient")) == ROLE_ROWS[role].launches
