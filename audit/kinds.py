"""What kinds of interaction the log knows, as rows: their codes, and which BALP profile a record of them claims.

https://profiles.ihe.net/ITI/BALP/content.html (1.1.4), https://hl7.org/fhir/R4/auditevent.html. What BALP does not
profile (ingest, commands, the hub's own life) has DICOM codes (PS3.16 CID 400-402) and a code of ours, and claims nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from audit.interaction import Kind
from fhir_profiles.canonical import BASE

Coding = Mapping[str, str]

BALP = "https://profiles.ihe.net/ITI/BALP"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
RESTFUL = "http://hl7.org/fhir/restful-interaction"
EVENTS = f"{BASE}/CodeSystem/audit-event"
"""Code system of the kinds that no standard names; the code is the kind."""
POLICY = f"{BASE}/policy/"
"""What AuditEvent.agent.policy says: the basis on which the hub decided."""

Action = Literal["C", "R", "U", "D", "E"]
"""https://hl7.org/fhir/R4/valueset-audit-event-action.html"""
Shape = Literal["data", "query", "token", "list"]
"""What the entities are. data: one resource; query: a query and what it found; token: the query alone; list: resources
and, if there is one, the query."""


def coding(system: str, code: str, display: str) -> Coding:
    return {"system": system, "code": code, "display": display}


REST = coding(f"{TERMINOLOGY}/audit-event-type", "rest", "RESTful Operation")
AUTHENTICATION = coding(DICOM, "110114", "User Authentication")
ACTIVITY = coding(DICOM, "110100", "Application Activity")
LOG_USED = coding(DICOM, "110101", "Audit Log Used")
IMPORT = coding(DICOM, "110107", "Import")
PATIENT_RECORD = coding(DICOM, "110110", "Patient Record")
QUERY = coding(DICOM, "110112", "Query")
ALERT = coding(DICOM, "110113", "Security Alert")

GET_TOKEN = coding("urn:ihe:event-type-code", "ITI-71", "Get Access Token")
LOGIN = coding(DICOM, "110122", "Login")
LOGOUT = coding(DICOM, "110123", "Logout")
START = coding(DICOM, "110120", "Application Start")
STOP = coding(DICOM, "110121", "Application Stop")
SECURITY_CONFIGURATION = coding(DICOM, "110129", "Security Configuration")
USER_SECURITY = coding(DICOM, "110137", "User Security Attributes Changed")
RECEIVE = coding(f"{TERMINOLOGY}/iso-21089-lifecycle", "receive", "Receive/Retain Record Lifecycle Event")

SOURCE = coding(DICOM, "110153", "Source Role ID")
DESTINATION = coding(DICOM, "110152", "Destination Role ID")
APPLICATION = coding(DICOM, "110150", "Application")
LAUNCHER = coding(DICOM, "110151", "Application Launcher")
CUSTODIAN = coding(f"{TERMINOLOGY}/provenance-participant-type", "custodian", "Custodian")
AUTHORIZATION_SERVER = coding(f"{BALP}/CodeSystem/UserAgentTypes", "AuthzOauthService", "OAuth Authorization Server")
RECIPIENT = coding(f"{TERMINOLOGY}/v3-ParticipationType", "IRCP", "information recipient")
AUTHOR = coding(f"{TERMINOLOGY}/v3-ParticipationType", "AUT", "author (originator)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How a kind is recorded.

    profile, patient_profile   ids of the BALP profiles of the interaction's event and a patient's; claimed when all went well
    client, server, user   what the agents are
    purpose   code of v3-ActReason, basis   where the interaction does not say it
    """

    kind: Kind
    type: Coding
    subtype: list[Coding]
    action: Action
    shape: Shape
    profile: str = ""
    patient_profile: str = ""
    client: Coding
    server: Coding
    user: Coding
    purpose: str
    basis: str

    @property
    def authentication(self) -> bool:
        """Does the request carry secrets?"""
        return self.type is AUTHENTICATION


PARTIES: Mapping[Action, tuple[Coding, Coding]] = {
    "R": (DESTINATION, SOURCE),
    "D": (APPLICATION, CUSTODIAN),
    **dict.fromkeys(("C", "U", "E"), (SOURCE, DESTINATION)),
}
"""Client and server by action: a read hands data to the client, a deletion hands nothing over, everything else hands
something to the server (BALP 3:5.7.3)."""


def _rest(kind: Kind, code: str, action: Action, profile: str = "", shape: Shape = "data") -> Row:
    client, server = PARTIES[action]
    return Row(
        kind=kind,
        type=REST,
        subtype=[coding(RESTFUL, code, code)],
        action=action,
        shape=shape,
        profile=profile and f"IHE.BasicAudit.{profile}",
        patient_profile=profile and f"IHE.BasicAudit.Patient{profile}",
        client=client,
        server=server,
        user=AUTHOR if action in "CUD" else RECIPIENT,
        purpose="HOPERAT",
        basis="scope",
    )


def _token(kind: Kind, subtype: Coding, profile: str, shape: Shape) -> Row:
    return Row(
        kind=kind,
        type=AUTHENTICATION,
        subtype=[subtype],
        action="E",
        shape=shape,
        profile=profile,
        client=APPLICATION,
        server=AUTHORIZATION_SERVER,
        user=RECIPIENT,
        purpose="HOPERAT",
        basis="client-registration",
    )


def _own(
    kind: Kind,
    type: Coding,
    action: Action,
    *more: Coding,
    server: Coding = APPLICATION,
    user: Coding = RECIPIENT,
    purpose: str = "HSYSADMIN",
    basis: str = "operator",
) -> Row:
    """Kinds of ours: found by their own code too."""
    subtype = [*more, coding(EVENTS, kind, kind)]
    return Row(
        kind=kind,
        type=type,
        subtype=subtype,
        action=action,
        shape="list",
        client=SOURCE,
        server=server,
        user=user,
        purpose=purpose,
        basis=basis,
    )


def _taken_in(kind: Kind) -> Row:
    """Readings from a vendor: a client is their source, the hub their destination."""
    return _own(kind, IMPORT, "C", RECEIVE, server=DESTINATION, user=AUTHOR, purpose="HOPERAT", basis="scope")


KINDS: Mapping[Kind, Row] = {
    row.kind: row
    for row in (
        _rest("read", "read", "R", "Read"),
        _rest("vread", "vread", "R", "Read"),
        _rest("search", "search-type", "E", "Query", "query"),
        _rest("create", "create", "C", "Create"),
        _rest("update", "update", "U", "Update"),
        _rest("patch", "patch", "U", "Update"),
        _rest("delete", "delete", "D", "Delete"),
        _rest("history-instance", "history-instance", "R", shape="list"),
        _rest("history-type", "history-type", "E", shape="list"),
        _rest("history-system", "history-system", "E", shape="list"),
        _rest("search-system", "search-system", "E", "Query", "query"),
        _rest("batch", "batch", "E", shape="list"),
        _rest("transaction", "transaction", "E", shape="list"),
        _rest("operation", "operation", "E", shape="list"),
        _rest("capabilities", "capabilities", "R", shape="list"),
        _token("token-issued", GET_TOKEN, "IHE.IUA.71", "token"),
        _token("token-refused", GET_TOKEN, "", "query"),
        _token("authentication-failed", LOGIN, "", "query"),
        _taken_in("ingest"),
        _taken_in("quarantine-replay"),
        _own("confirm-list", QUERY, "E"),
        _own("confirm-assign", PATIENT_RECORD, "C", user=AUTHOR),
        _own("confirm-reject", PATIENT_RECORD, "U", user=AUTHOR),
        _own("pair", PATIENT_RECORD, "C", user=AUTHOR),
        _own("unpair", PATIENT_RECORD, "U", user=AUTHOR),
        _own("device-list", QUERY, "E"),
        _own("client-add", ALERT, "C", USER_SECURITY, user=AUTHOR),
        _own("client-revoke", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("client-list", QUERY, "E"),
        _own("client-register", ALERT, "C", USER_SECURITY, user=AUTHOR, basis="client-registration"),
        _own("client-approve", ALERT, "C", USER_SECURITY, user=AUTHOR),
        _own("client-refuse", ALERT, "D", USER_SECURITY, user=AUTHOR),
        _own("client-change", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("client-secret-rotate", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("client-token-rotate", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("client-token-end", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("client-key-add", ALERT, "C", USER_SECURITY, user=AUTHOR),
        _own("client-key-retire", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("client-key-list", QUERY, "E"),
        _own("webhook-add", ALERT, "C", USER_SECURITY, user=AUTHOR),
        _own("webhook-rotate", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("webhook-revoke", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("webhook-list", QUERY, "E"),
        _own("credential-invite", ALERT, "C", USER_SECURITY, user=AUTHOR),
        _own("credential-add", ALERT, "C", USER_SECURITY, user=AUTHOR),
        _own("credential-enrol", ALERT, "C", USER_SECURITY, user=AUTHOR, basis="client-registration"),
        _own("credential-rotate", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("credential-revoke", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("credential-list", QUERY, "E"),
        _own("quarantine-list", QUERY, "E"),
        _own("quarantine-read", PATIENT_RECORD, "R"),
        _own("quarantine-discard", PATIENT_RECORD, "D", user=AUTHOR),
        _own("quarantine-expire", ACTIVITY, "D", user=LAUNCHER),
        _own("contents-sweep", ACTIVITY, "D", user=LAUNCHER),
        _own("raw-sweep", ACTIVITY, "D", user=LAUNCHER),
        _own("rederive-plan", PATIENT_RECORD, "R"),
        _own("rederive-apply", PATIENT_RECORD, "U", user=AUTHOR),
        _own("audit-query", LOG_USED, "R", purpose="HCOMPL"),
        _own("audit-verify", LOG_USED, "R", purpose="HCOMPL"),
        _own("audit-export", LOG_USED, "R", purpose="HCOMPL"),
        _own("demo-load", IMPORT, "C", purpose="HTEST", user=AUTHOR),
        _own("conformance-load", IMPORT, "C", user=LAUNCHER),
        _own("start", ACTIVITY, "E", START, user=LAUNCHER),
        _own("stop", ACTIVITY, "E", STOP, user=LAUNCHER),
        _own("keys-status", ALERT, "R", SECURITY_CONFIGURATION),
        _own("keys-rotate", ALERT, "U", SECURITY_CONFIGURATION, user=AUTHOR),
        _own("keys-backup", ALERT, "R", SECURITY_CONFIGURATION),
        _own("product-add", ALERT, "C", SECURITY_CONFIGURATION, user=AUTHOR),
        _own("product-change", ALERT, "U", SECURITY_CONFIGURATION, user=AUTHOR),
        _own("product-list", QUERY, "E"),
        _own("device-register", ACTIVITY, "C", user=AUTHOR),
        _own("device-show", QUERY, "E"),
        _own("device-retire", ACTIVITY, "U", user=AUTHOR),
        _own("device-exchange", PATIENT_RECORD, "U", user=AUTHOR),
        _own("device-status", QUERY, "E"),
        _own("device-watch", ACTIVITY, "U", user=AUTHOR),
        _own("console", QUERY, "E"),
        _own("console-link", ALERT, "C", USER_SECURITY, user=AUTHOR),
        _own("console-sign-in", AUTHENTICATION, "E", LOGIN),
        _own("console-sign-out", AUTHENTICATION, "E", LOGOUT),
        _own("client-quota", ALERT, "U", SECURITY_CONFIGURATION, user=AUTHOR),
        _own("cloud-link", PATIENT_RECORD, "C", user=AUTHOR),
        _own("cloud-unlink", PATIENT_RECORD, "U", user=AUTHOR),
        _own("cloud-list", QUERY, "E"),
        _own("account", QUERY, "E", purpose="HOPERAT", basis="account"),
        # Requests of these two may name a secret, which records of an authentication leave out.
        _own("authorize-shown", AUTHENTICATION, "R", purpose="HOPERAT", basis="account"),
        _own("device-code-shown", AUTHENTICATION, "R", purpose="HOPERAT", basis="account"),
        _own("authorization-list", QUERY, "E", purpose="HOPERAT", basis="account"),
        _own("authorization-end", ALERT, "U", USER_SECURITY, user=AUTHOR, purpose="HOPERAT", basis="account"),
        _own("launch-list", QUERY, "E", purpose="HOPERAT", basis="account"),
        _own("launch-open", AUTHENTICATION, "C", user=AUTHOR, purpose="HOPERAT", basis="client-registration"),
        _own("launch-begin", AUTHENTICATION, "C", user=AUTHOR, purpose="HOPERAT", basis="account"),
        _own("sign-in", AUTHENTICATION, "E", LOGIN, basis="account"),
        _own("sign-in-begun", AUTHENTICATION, "E", LOGIN, basis="account"),
        _own("sign-in-refused", AUTHENTICATION, "E", LOGIN, basis="account"),
        _own("sign-out", AUTHENTICATION, "E", LOGOUT, basis="account"),
        _own("second-factor", ALERT, "U", USER_SECURITY, user=AUTHOR, basis="account"),
        _own("account-password", ALERT, "U", USER_SECURITY, user=AUTHOR, basis="account"),
        _own("account-sessions", ALERT, "U", USER_SECURITY, user=AUTHOR, basis="account"),
        _own("account-security", QUERY, "E", basis="account"),
        _own("account-link", ALERT, "U", USER_SECURITY, user=AUTHOR, basis="account"),
        _own("account-add", ALERT, "C", USER_SECURITY, user=AUTHOR),
        _own("account-change", ALERT, "U", USER_SECURITY, user=AUTHOR),
        _own("account-list", QUERY, "E"),
        _own("authorize", AUTHENTICATION, "E", purpose="HOPERAT", basis="client-registration"),
        _own("authorize-granted", AUTHENTICATION, "C", user=AUTHOR, purpose="HOPERAT", basis="account"),
        _own("authorize-denied", AUTHENTICATION, "E", user=AUTHOR, purpose="HOPERAT", basis="account"),
        _own("token-refreshed", AUTHENTICATION, "E", GET_TOKEN, purpose="HOPERAT", basis="authorization"),
        _own("token-reused", ALERT, "U", purpose="HOPERAT", basis="client-registration"),
        _own("token-revoked", AUTHENTICATION, "U", purpose="HOPERAT", basis="client-registration"),
        _own("token-introspected", AUTHENTICATION, "R", purpose="HOPERAT", basis="client-registration"),
        _own("userinfo", AUTHENTICATION, "R", purpose="HOPERAT", basis="scope"),
    )
}
