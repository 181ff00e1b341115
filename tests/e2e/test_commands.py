"""The commands, as operators and scripts type them. DESIGN 4: JSON where a script reads, 1 for errors on stderr, 2 for wrong use."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.caller import Caller, asked_alone
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.process import HubProcess, command, invoke
from tests.support.resources import patient

Json = dict[str, Any]


def test_an_administrators_searches_are_explained(running: Running, tmp_path: Path) -> None:
    """`hub client add --administrator`: the registration, and nothing in the request, makes one."""
    hub, key = running.process, tmp_path / "key.pem"
    flags = ("--scope", "system/Device.rs", "--administrator", "--key-out", str(key), "--reason", "tests")
    added = hub.command("client", "add", "Exploitation", *flags)
    assert (added.code, added.json()["administrator"]) == (0, True), added.err
    token = command("token", "--base-url", hub.url, "--client-id", added.json()["client_id"], "--key", str(key))
    headers = {"Authorization": f"Bearer {token.out.strip()}"}
    answer = asked_alone("GET", f"{hub.url}/fhir/Device?status=active&_explain=true", headers=headers)
    assert [one["search"]["mode"] for one in answer.json()["entry"]][-1] == "outcome"


def test_a_client_is_registered_gets_a_token_and_is_revoked(running: Running, ehr: Caller, tmp_path: Path) -> None:
    """`hub client add`, `hub token`, `hub client list`, `hub client revoke`: SMART Backend Services from one end to the other."""
    key = tmp_path / "key.pem"
    hub = running.process
    flags = ("--purpose", "TREAT", "--consent-default", "opt-out", "--recorder", "--organization", ehr.account.organization)
    added = hub.command(
        "client", "add", "Poste de soins", "--scope", "system/Patient.rs", *flags, "--key-out", str(key), "--reason", "tests"
    )
    assert added.code == 0, added.err
    made = added.json()
    assert (made["name"], made["scope"], made["purpose"], made["recorder"], made["importer"], made["administrator"]) == (
        "Poste de soins",
        "system/Patient.rs",
        "TREAT",
        True,
        False,
        False,
    )
    assert made["organization"] == ehr.account.organization
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "PRIVATE" not in added.out

    asked = ("--base-url", hub.url, "--client-id", made["client_id"], "--key", str(key))
    token = command("token", *asked)
    assert (token.code, token.err) == (0, "")
    headers = {"Authorization": f"Bearer {token.out.strip()}"}
    one = ehr.create(patient())
    assert running.http.get(f"/fhir/Patient/{one['id']}", headers=headers).status_code == 200
    narrowed = invoke("token", *asked, "--scope", "system/Observation.rs")
    assert (narrowed.code, narrowed.out) == (1, "")
    assert "invalid_scope" in narrowed.err

    listed = hub.invoke("client", "list", "--json").json()
    assert next(client for client in listed if client["client_id"] == made["client_id"])["revoked"] is None
    assert hub.command("client", "revoke", made["client_id"], "--reason", "tests").json()["revoked"] is True
    refused(running.http.get(f"/fhir/Patient/{one['id']}", headers=headers), 401, "login")
    assert invoke("token", *asked).code == 1
    assert hub.invoke("client", "revoke", "nobody").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--scope", "nonsense", "--key-out", "{new}"],
        ["--scope", "system/*.rs"],
        ["--scope", "system/*.rs", "--key-out", "{new}", "--jwks", "{new}"],
        ["--scope", "system/*.rs", "--key-out", "{old}"],
        ["--scope", "system/*.rs", "--jwks", "{old}"],
        ["--scope", "system/*.rs", "--key-out", "{new}", "--purpose", "NONSENSE"],
        ["--scope", "system/*.rs", "--key-out", "{new}", "--consent-default", "maybe"],
        ["--key-out", "{new}"],
    ],
)
def test_wrong_use_registers_nobody(running: Running, tmp_path: Path, arguments: list[str]) -> None:
    """Exit code 2, nothing on stdout, and no key is overwritten."""
    old = tmp_path / "old.pem"
    old.write_text("kept")
    places = {"new": str(tmp_path / "new.pem"), "old": str(old)}
    before = running.backstage.admin["hub"]["oauth_clients"].count_documents({})
    done = running.process.invoke("client", "add", "x", *(one.format(**places) for one in arguments))
    assert (done.code, done.out) == (2, "")
    assert done.err
    assert old.read_text() == "kept"
    assert running.backstage.admin["hub"]["oauth_clients"].count_documents({}) == before


def test_an_organisation_that_does_not_exist_has_no_clients(running: Running, tmp_path: Path) -> None:
    flags = ("--scope", "system/*.rs", "--organization", "Organization/nowhere", "--key-out", str(tmp_path / "key.pem"))
    done = running.process.invoke("client", "add", "x", *flags)
    assert (done.code, done.out) == (1, "")
    assert "Organization/nowhere" in done.err


def test_devices_are_paired_listed_and_kept_apart(running: Running, ehr: Caller) -> None:
    """`hub device pair|list`: a unit is one Device; two patients do not wear it at the same time."""
    one, two = (ehr.create(patient())["id"] for _ in range(2))
    hub, unit = running.process, f"cmd-{one}"
    first = hub.command(
        "device", "pair", "withings", unit, "--patient", f"Patient/{one}", "--from", "2025-01-01", "--to", "2025-06-01"
    ).json()
    again = hub.invoke("device", "pair", "withings", unit, "--patient", f"Patient/{two}", "--from", "2025-06-01").json()
    assert (first["registered"], again["registered"]) == (True, False)
    assert first["device"] == again["device"]
    overlap = hub.invoke("device", "pair", "withings", unit, "--patient", f"Patient/{one}", "--from", "2025-07-01")
    assert (overlap.code, overlap.out) == (1, "")
    listed = hub.invoke("device", "list", "--json").json()
    mine = {pairing["patient"]: (pairing["from"], pairing["to"]) for pairing in listed if pairing["device"] == first["device"]}
    assert mine == {
        f"Patient/{one}": ("2025-01-01T00:00:00.000Z", "2025-06-01T00:00:00.000Z"),
        f"Patient/{two}": ("2025-06-01T00:00:00.000Z", None),
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["pair", "withings", "x", "--patient", "Patient/nobody"], 1),
        (["pair", "withings", "x", "--patient", "Device/x"], 1),
        (["pair", "nonsense", "x", "--patient", "Patient/x"], 2),
        (["pair", "withings", "x", "--patient", "Patient/x", "--from", "2026-02-02", "--to", "2026-01-01"], 2),
        (["pair", "withings", "x"], 2),
        (["unpair", "withings", "nothing-of-this-name"], 1),
    ],
)
def test_pairing_says_what_is_wrong(running: Running, arguments: list[str], code: int) -> None:
    done = running.process.invoke("device", *arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err


def test_commands_over_http_say_what_is_wrong(running: Running, another: Callable[..., Caller], tmp_path: Path) -> None:
    """`hub token` and `hub ingest` need no data directory, only the address."""
    caller, key, payload = another("system/Observation.c"), tmp_path / "key.pem", tmp_path / "payload.json"
    key.write_bytes(caller.account.key)
    payload.write_text("nonsense")
    asked = ("--client-id", caller.account.id, "--key", str(key))
    url = running.process.url
    for arguments, code in (
        (("token", "--base-url", "http://127.0.0.1:1", *asked), 1),
        (("token", "--base-url", url, "--client-id", "nobody", "--key", str(key)), 1),
        (("token", "--base-url", url, "--client-id", caller.account.id, "--key", str(payload)), 1),
        (("token", "--base-url", url), 2),
        (("ingest", "withings", str(payload), "--base-url", url, *asked), 1),
        (("ingest", "nonsense", str(payload), "--base-url", url, *asked), 1),
        (("ingest", "withings", str(tmp_path / "absent"), "--base-url", url, *asked), 1),
    ):
        done = invoke(*arguments)
        assert (done.code, done.out) == (code, ""), arguments
        assert done.err
        assert "Traceback" not in done.err


def test_a_directory_is_served_by_one_hub(running: Running) -> None:
    """DESIGN 4: a second live hub is refused with a clear message; so is a port that is taken."""
    second = command("serve", "--port", str(HubProcess(running.process.data_dir).port), "--data-dir", str(running.process.data_dir))
    assert second.code == 1
    assert str(running.process.pid) in second.err
    taken = command("serve", "--port", str(running.process.port), "--data-dir", str(running.process.data_dir.parent / "elsewhere"))
    assert taken.code == 1
    assert str(running.process.port) in taken.err


def test_commands_work_without_a_serving_hub_and_find_everything_again(tmp_path: Path) -> None:
    """DESIGN 4: whether or not a hub is serving; what a command did on an empty directory the hub knows afterwards."""
    hub = HubProcess(tmp_path / "data")
    key = tmp_path / "key.pem"
    made = hub.command("client", "add", "early", "--scope", "system/*.rs", "--key-out", str(key)).json()
    hub.start()
    try:
        token = command("token", "--base-url", hub.url, "--client-id", made["client_id"], "--key", str(key))
        assert token.code == 0
    finally:
        assert hub.stop() == 0
    asked = hub.invoke("audit", "query", "--client", made["client_id"], "--json", "--reason", "tests")
    assert "ITI-71" in json.dumps(asked.json())
    assert hub.invoke("audit", "verify").code == 0
    assert hub.invoke("doctor").code == 0
