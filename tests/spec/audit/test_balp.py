"""The shape of our AuditEvents: IHE BALP 1.1.4 (https://profiles.ihe.net/ITI/BALP) and FHIR R4."""

from typing import Any, get_args

import orjson
import pytest

from audit.interaction import Interaction, Kind
from audit.kinds import KINDS
from fhir_profiles import r4
from tests.spec.audit import balp
from tests.spec.audit.given import command, interaction, item, made, refused

SEARCH = "/fhir/Observation?patient=x&code=http://loinc.org|8867-4"
TOKEN_REQUEST: dict[str, Any] = {
    "items": (),
    "method": "POST",
    "query": "/oauth/token?grant_type=client_credentials&scope=system/*.rs&client_assertion=eyJh",
    "token_id": "jti-1",
}
SEVERAL = (item(), item("Observation/def", patient="Patient/y", basis="policy opt-out"), item("Device/d", patient=None, basis="scope"))

EXAMPLES: dict[Kind, Interaction] = {
    "read": interaction("read"),
    "vread": interaction("vread"),
    "search": interaction("search", query=SEARCH, items=SEVERAL),
    "create": interaction("create", method="POST"),
    "update": interaction("update", method="PUT"),
    "patch": interaction("patch", method="PATCH"),
    "delete": interaction("delete", method="DELETE"),
    "history-instance": interaction("history-instance", query="/fhir/Observation/abc/_history", items=(item(version="2"), item())),
    "history-type": interaction("history-type", query="/fhir/Observation/_history?_since=2026-11-01", items=SEVERAL),
    "history-system": interaction("history-system", query="/fhir/_history", items=SEVERAL),
    "search-system": interaction("search-system", query="/fhir?_id=abc", items=SEVERAL),
    "batch": interaction("batch", method="POST", query="/fhir", items=SEVERAL),
    "transaction": interaction("transaction", method="POST", query="/fhir", items=SEVERAL),
    "operation": interaction("operation", query="/fhir/Patient/x/$everything", items=SEVERAL),
    "capabilities": interaction("capabilities", items=(), client_id=None, client_name=None, organization=None, purpose=None),
    "token-issued": interaction("token-issued", **TOKEN_REQUEST),
    "token-refused": interaction("token-refused", **TOKEN_REQUEST, outcome="4", outcome_code="invalid_client"),
    "authentication-failed": refused("authentication-failed", outcome_code="login", client_id=None, organization=None, aimed=()),
    "ingest": interaction("ingest", method="POST", query="/ingest/withings?device=d", items=SEVERAL),
    "pair": command("pair", items=(item("Device/d"),)),
    "unpair": command("unpair", items=(item("Device/d"),)),
    "device-list": command("device-list", items=(item("Device/d"),)),
    "product-add": command("product-add", items=(item("DeviceDefinition/d", patient=None),)),
    "product-change": command("product-change", items=(item("DeviceDefinition/d", patient=None),)),
    "product-list": command("product-list"),
    "device-register": command("device-register", items=(item("Device/d", patient=None),)),
    "device-show": command("device-show", items=(item("Device/d", patient=None),)),
    "device-retire": command("device-retire", items=(item("Device/d", patient=None),)),
    "device-exchange": command("device-exchange", items=(item("Device/d"),)),
    "device-status": command("device-status"),
    "device-watch": command("device-watch", items=(item("Device/d", patient=None),)),
    "client-add": command("client-add"),
    "client-revoke": command("client-revoke"),
    "client-list": command("client-list"),
    **{kind: command(kind) for kind in ("client-key-add", "client-key-retire", "client-key-list")},
    **{kind: command(kind) for kind in ("webhook-add", "webhook-rotate", "webhook-revoke", "webhook-list")},
    **{
        kind: command(kind) for kind in ("credential-invite", "credential-add", "credential-rotate", "credential-revoke", "credential-list")
    },
    "credential-enrol": interaction("credential-enrol", items=(), method="POST", query="/oauth/register"),
    "client-quota": command("client-quota"),
    "client-register": interaction("client-register", items=(), method="POST", query="/oauth/clients"),
    **{kind: command(kind) for kind in ("client-approve", "client-refuse", "client-change", "client-secret-rotate")},
    **{kind: command(kind) for kind in ("client-token-rotate", "client-token-end")},
    "cloud-link": command("cloud-link", aimed=("Patient/x",)),
    "cloud-unlink": command("cloud-unlink", aimed=("Patient/x",)),
    "cloud-list": command("cloud-list", aimed=("Patient/x", "Patient/y")),
    "quarantine-list": command("quarantine-list"),
    "quarantine-replay": command("quarantine-replay", items=SEVERAL),
    "confirm-list": command("confirm-list", aimed=("Patient/x",)),
    "confirm-assign": command("confirm-assign", items=(item(),), aimed=("Patient/y",)),
    "confirm-reject": command("confirm-reject", items=(item("Device/d"),)),
    "quarantine-read": command("quarantine-read", query="/quarantine/abc"),
    "quarantine-discard": command("quarantine-discard", query="/quarantine/discard?item=c|withings|device-missing|abc"),
    "quarantine-expire": command("quarantine-expire", query="/quarantine/expired?item=c|withings|device-missing|abc"),
    "contents-sweep": command("contents-sweep", query="/contents?content=abc.def"),
    "raw-sweep": command("raw-sweep", query="/raw?since=2025-01-01T00:00:00.000Z&before=2026-01-01T00:00:00.000Z&items=3"),
    "rederive-plan": command("rederive-plan", items=SEVERAL),
    "rederive-apply": command("rederive-apply", items=SEVERAL),
    "audit-query": command("audit-query", aimed=("Patient/x",)),
    "audit-verify": command("audit-verify"),
    "audit-export": command("audit-export"),
    "conformance-load": command("conformance-load", items=SEVERAL),
    "demo-load": command("demo-load", items=SEVERAL),
    "start": Interaction(kind="start", recorded_us=0, request_id="start"),
    "stop": Interaction(kind="stop", recorded_us=0, request_id="stop"),
    "keys-status": command("keys-status"),
    "keys-rotate": command("keys-rotate"),
    "keys-backup": command("keys-backup"),
    "console": command("console"),
    "console-link": command("console-link"),
    "console-sign-in": command("console-sign-in"),
    "console-sign-out": command("console-sign-out"),
    **{kind: command(kind) for kind in ("sign-in", "sign-in-begun", "sign-in-refused", "sign-out", "second-factor")},
    **{kind: command(kind) for kind in ("account-password", "account-sessions", "account-security", "account-link")},
    **{kind: command(kind) for kind in ("account", "authorize-shown", "authorization-list", "authorization-end")},
    **{kind: command(kind) for kind in ("launch-list", "launch-begin", "device-code-shown")},
    **{kind: command(kind) for kind in ("account-add", "account-change", "account-list")},
    "authorize": interaction("authorize", items=(), query="/oauth/authorize?client_id=app&state=s&request_uri=u"),
    **{kind: command(kind, aimed=("Patient/x",)) for kind in ("authorize-granted", "authorize-denied")},
    "userinfo": interaction("userinfo", items=(), query="/oauth/userinfo"),
    "token-refreshed": interaction("token-refreshed", items=(), method="POST", query="/oauth/token?refresh_token=x"),
    "token-reused": interaction("token-reused", items=(), method="POST", query="/oauth/token?code=x", aimed=("Patient/x",)),
    "token-revoked": interaction("token-revoked", items=(), method="POST", query="/oauth/revoke?token=x"),
    "launch-open": interaction(
        "launch-open",
        items=(),
        query="/oauth/launch",
        aimed=("Patient/x",),
        token_id=None,
        account="a",
        person="Practitioner/p",
        role="practitioner",
    ),
    "token-introspected": interaction("token-introspected", items=(), method="POST", query="/oauth/introspect?token=x"),
}

CLAIMS: dict[Kind, tuple[str, str]] = {
    "read": ("IHE.BasicAudit.Read", "IHE.BasicAudit.PatientRead"),
    "vread": ("IHE.BasicAudit.Read", "IHE.BasicAudit.PatientRead"),
    "search": ("IHE.BasicAudit.Query", "IHE.BasicAudit.PatientQuery"),
    "create": ("IHE.BasicAudit.Create", "IHE.BasicAudit.PatientCreate"),
    "update": ("IHE.BasicAudit.Update", "IHE.BasicAudit.PatientUpdate"),
    "patch": ("IHE.BasicAudit.Update", "IHE.BasicAudit.PatientUpdate"),
    "delete": ("IHE.BasicAudit.Delete", "IHE.BasicAudit.PatientDelete"),
    "search-system": ("IHE.BasicAudit.Query", "IHE.BasicAudit.PatientQuery"),
}
"""Which profile the interaction's own event claims, and which those of the patients."""


def as_sent(what: Interaction) -> list[dict[str, Any]]:
    return [orjson.loads(orjson.dumps(event.resource)) for event in made(what)]


def test_every_kind_has_a_row_and_an_example() -> None:
    assert set(get_args(Kind)) == set(KINDS) == set(EXAMPLES)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_event_is_an_audit_event_of_r4(kind: Kind) -> None:
    """https://hl7.org/fhir/R4/auditevent.html"""
    for resource in as_sent(EXAMPLES[kind]):
        assert r4.check(resource) == ()


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_event_is_what_its_profile_asks(kind: Kind) -> None:
    """IHE BALP 1.1.4, the profile named in meta.profile."""
    for resource in as_sent(EXAMPLES[kind]):
        assert balp.problems(resource) == []


@pytest.mark.parametrize("kind", CLAIMS)
def test_fhir_interactions_claim_the_profile_of_their_interaction(kind: Kind) -> None:
    """BALP 3:5.7.3: one set of profiles with a patient, one without."""
    own, *patients = [balp.claimed(resource) for resource in as_sent(EXAMPLES[kind])]
    assert own == [CLAIMS[kind][0]]
    assert {tuple(claims) for claims in patients} == {(CLAIMS[kind][1],)}


def test_a_token_that_was_issued_claims_iti_71_and_names_the_token() -> None:
    """BALP, IHE.IUA.71 with OAUTHaccessTokenUse.Minimal."""
    (resource,) = as_sent(EXAMPLES["token-issued"])
    assert balp.claimed(resource) == ["IHE.IUA.71", balp.TOKEN_USE]
    assert resource["agent"][-1]["policy"] == ["urn:ietf:params:oauth:jti:jti-1"]


def test_the_use_of_a_token_is_recorded_with_its_id_allowed_or_refused() -> None:
    """BALP 3:5.7.5.2: the id of the token stands in agent.policy."""
    for what in (interaction(token_id="jti-7"), refused(token_id="jti-7")):
        for resource in as_sent(what):
            assert balp.TOKEN_USE in balp.claimed(resource)
            assert balp.problems(resource) == []


@pytest.mark.parametrize("organization", ["Organization/o", None])
def test_a_token_of_another_issuer_names_it_and_the_name_it_has_for_the_client(organization: str | None) -> None:
    """BALP OAUTHaccessTokenUse.Comprehensive: iss is who.identifier.system, the subject its value; allowed or refused."""
    vouched = {"issuer": "https://idp.example.org", "subject": "lab", "organization": organization}
    for what in (interaction(token_id="jti-7", **vouched), refused(**vouched)):
        for resource in as_sent(what):
            assert balp.problems(resource) == []
            (asking,) = [agent for agent in resource["agent"] if agent["requestor"]]
            assert asking["who"]["identifier"] == {"system": "https://idp.example.org", "value": "lab"}
            assert asking["who"].get("reference") == organization
            assert [agent["altId"] for agent in resource["agent"] if "altId" in agent] == ["client-1"]


@pytest.mark.parametrize("kind", sorted(set(get_args(Kind)) - set(CLAIMS) - {"token-issued", "token-refused"}))
def test_what_balp_does_not_profile_claims_nothing(kind: Kind) -> None:
    assert [balp.claimed(resource) for resource in as_sent(EXAMPLES[kind])] == [[]] * len(made(EXAMPLES[kind]))


@pytest.mark.parametrize("kind", CLAIMS)
def test_what_was_refused_claims_no_profile_of_success(kind: Kind) -> None:
    """BALP profiles are for success; a failure may follow the pattern with another outcome and a description."""
    for resource in as_sent(refused(kind)):
        assert balp.claimed(resource) == []
        assert r4.check(resource) == ()
        assert (resource["outcome"], resource["outcomeDesc"]) == ("4", "not-found")


@pytest.mark.parametrize("kind", ["read", "search", "create", "update", "patch", "delete"])
def test_an_unknown_network_address_is_said_to_be_unknown(kind: Kind) -> None:
    """BALP asks for agent.network of the client; http://hl7.org/fhir/StructureDefinition/data-absent-reason"""
    for resource in as_sent(interaction(kind, network=None)):
        assert balp.problems(resource) == []
        assert r4.check(resource) == ()
        assert resource["agent"][0]["network"]["extension"][0]["valueCode"] == "unknown"


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_client_that_acts_for_nobody_asks_itself(kind: Kind) -> None:
    """AuditEvent.agent.requestor: whether this agent asked for the event."""
    for resource in as_sent(interaction(kind, organization=None)):
        assert balp.problems(resource) == []
        assert [agent["requestor"] for agent in resource["agent"]] == [True, False]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_of_every_event_it_is_known_who_asked_for_it(kind: Kind) -> None:
    """EHDS annex II 3.2 (a); exactly one agent is the requestor."""
    for resource in as_sent(EXAMPLES[kind]):
        assert [agent["requestor"] for agent in resource["agent"]].count(True) == 1


def test_a_read_hands_data_to_the_client_a_deletion_hands_nothing_over_and_the_rest_something_to_the_hub() -> None:
    """BALP 3:5.7.3: the client is the destination of a read, the application of a deletion and else the source."""
    roles = {kind: tuple(_role(agent) for agent in as_sent(EXAMPLES[kind])[0]["agent"][:2]) for kind in CLAIMS}
    assert roles == {
        **dict.fromkeys(("read", "vread"), ("110152", "110153")),
        "delete": ("110150", "custodian"),
        **dict.fromkeys(("search", "search-system", "create", "update", "patch"), ("110153", "110152")),
    }


def _role(agent: dict[str, Any]) -> str:
    return str(agent["type"]["coding"][0]["code"])


@pytest.mark.parametrize("fault", ["drop-network", "second-query", "other-role", "no-patient", "failed", "wrong-action"])
def test_the_checker_itself_sees_faults(fault: str) -> None:
    """A checker that finds nothing anywhere would prove nothing."""
    resource = as_sent(EXAMPLES["search"])[1]
    query = next(one for one in resource["entity"] if "query" in one)
    if fault == "drop-network":
        del resource["agent"][0]["network"]
    elif fault == "second-query":
        resource["entity"].append(query)
    elif fault == "other-role":
        query["role"] = {"system": balp.ROLE, "code": "4"}
    elif fault == "no-patient":
        resource["entity"] = [one for one in resource["entity"] if one["type"]["code"] != "1"]
    elif fault == "failed":
        resource["outcome"] = "8"
    else:
        resource["action"] = "R"
    assert balp.problems(resource) != []
