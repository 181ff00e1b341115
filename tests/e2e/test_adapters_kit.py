"""`hub adapters simulate`, `certify`, `verify` from outside: fates as expected, a report that shows when it was changed."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from adapters.kit.rulebook import RULES
from hub.cli.kit.words import RULES_FR
from tests.support.browser import CONTRAST, DESK, PHONE, opened
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.process import command, invoke

FAULTS = "duplicates,late,reordered,drift,summer-time,corrected,garbage"
MADE = ("--product", "Acme Scale", "--manufacturer", "Acme", "--transport", "push", "--measure", "body-weight")


@pytest.fixture(scope="module")
def key(ehr: Caller, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "client.pem"
    path.write_bytes(ehr.account.key)
    return path


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("acme")
    done = invoke("adapters", "new", "acme-e2e", *MADE, "--time-kind", "utc", "--format", "json", "--into", str(into))
    assert done.code == 0, done.err
    return into / "acme-e2e"


@pytest.fixture(scope="module")
def report(acme: Path) -> Path:
    done = invoke("adapters", "certify", str(acme), "--key", str(acme / "key.pem"), "--into", str(acme / "out"))
    assert done.code == 0, done.err
    return Path(done.out.splitlines()[0])


KINDS_OF_PAYLOAD = {
    "withings": "stored",  # JSON, instants
    "ihealth": "stored",  # JSON that names no unit
    "libreview": "quarantined",  # CSV, wall clock
    "textile": "stored",  # CSV by a mapping, the offset in a column of its own
    "apple-health": "stored",  # XML
    "pcd01": "stored",  # HL7 v2
    "fit": "stored",  # binary
    "gatt": "quarantined",  # binary frames in JSON
    "edf": "quarantined",  # strips, each in a file of its own, and a card
    "phd": "stored",  # FHIR
}
"""Adapter -> what becomes of a measurement in the hour that comes twice: a wall clock cannot say which of the two it was."""


@pytest.mark.parametrize(("name", "repeated_hour"), KINDS_OF_PAYLOAD.items())
def test_a_simulation_with_every_fault_has_the_fates_that_are_expected(
    running: Running, ehr: Caller, key: Path, name: str, repeated_hour: str
) -> None:
    """DEVICES 6.2, step 4: duplicates, late, reordered, drift, summer time, corrected, garbage."""
    hub = running.process
    account = ("--base-url", hub.url, "--client-id", ehr.account.id, "--key", str(key))
    done = hub.command("adapters", "simulate", name, "--patients", "2", "--days", "3", "--faults", FAULTS, *account, "--json")
    assert done.code == 0, done.out + done.err
    found = done.json()
    assert {what: one["unexpected"] for what, one in found.items()} == dict.fromkeys(found, 0)
    assert found["summer-time"]["found"] == {repeated_hour: 2}
    assert set(found["duplicates"]["found"]) == {"duplicate"}
    assert set(found["corrected"]["found"]) == {"corrected"}
    assert found["readings"]["found"] == found["readings"]["expected"]


def test_a_fate_that_was_not_expected_is_said_and_ends_with_1(running: Running, ehr: Caller, key: Path) -> None:
    """The same simulation again: what was to be stored is there already."""
    hub = running.process
    account = ("--base-url", hub.url, "--client-id", ehr.account.id, "--key", str(key))
    flags = ("--patients", "1", "--days", "1", "--seed", "77", *account, "--json")
    assert hub.command("adapters", "simulate", "withings", *flags).code == 0
    again = hub.command("adapters", "simulate", "withings", *flags)
    assert again.code == 1
    assert again.json()["readings"]["unexpected"] == 1


def test_the_codes_of_what_was_not_expected_are_said(running: Running, ehr: Caller, key: Path) -> None:
    """Doses are MedicationAdministrations: a client that may write Observations alone is told why they wait."""
    hub = running.process
    narrow = key.with_name("narrow.pem")
    scope = ("--scope", "system/Patient.crs system/Observation.cr", "--recorder", "--consent-default", "opt-out")
    client = hub.command("client", "add", "no-doses", *scope, "--key-out", str(narrow)).json()["client_id"]
    account = ("--base-url", hub.url, "--client-id", client, "--key", str(narrow))
    done = hub.command("adapters", "simulate", "carelink", "--patients", "1", "--days", "1", *account, "--json")
    found = done.json()["readings"]
    assert (done.code, found["unexpected"], found["found"]) == (1, 1, {"stored": 3, "quarantined": 2})
    assert found["codes"] == {"scope-missing": 2}


def test_payloads_are_written_with_the_fates_that_are_expected(tmp_path: Path, acme: Path) -> None:
    flags = ("--patients", "2", "--days", "2", "--faults", "duplicates,garbage", "--into", str(tmp_path))
    assert invoke("adapters", "simulate", str(acme), *flags).code == 0
    expected = json.loads((tmp_path / "expected.json").read_text())
    assert sorted(expected) == sorted(path.name for path in tmp_path.iterdir() if path.name != "expected.json")
    assert [one for one in expected.values() if one is not None] == [{"stored": 1}, {"stored": 1}, {"duplicate": 1}] * 2


@pytest.mark.parametrize(
    ("flags", "code"), [(("--faults", "plague"), 2), ((), 2), (("--until", "tomorrow", "--into", "x"), 2)], ids=["fault", "where", "day"]
)
def test_wrong_use_is_said(flags: tuple[str, ...], code: int) -> None:
    assert invoke("adapters", "simulate", "withings", *flags).code == code


def test_an_adapter_without_a_simulator_is_said_to_have_none(tmp_path: Path) -> None:
    """A vendor's own may lack one; each that comes with the hub has one (tests/contracts/test_simulated_fates.py)."""
    done = invoke("adapters", "new", "acme-mute", *MADE, "--time-kind", "utc", "--format", "json", "--into", str(tmp_path))
    assert done.code == 0, done.err
    module = tmp_path / "acme-mute" / "src" / "acme_mute_adapter" / "__init__.py"
    module.write_text(module.read_text().replace("    simulator = Simulator()\n", ""))
    done = command("adapters", "simulate", str(tmp_path / "acme-mute"), "--into", str(tmp_path / "x"))
    assert done.code == 1
    assert "no simulator" in done.err


def test_a_fault_that_nothing_could_show_is_wrong_use_and_is_named(tmp_path: Path) -> None:
    done = invoke("adapters", "simulate", "edf", "--days", "1", "--faults", "late", "--into", str(tmp_path / "x"))
    assert done.code == 2
    assert "late: of one day" in done.err
    assert not (tmp_path / "x").exists()


def test_the_report_names_every_rule_the_code_and_the_key(report: Path, acme: Path) -> None:
    """DEVICES 6.4: signature (Ed25519), adapter hash, kit version, result per rule, exemptions, level."""
    content = json.loads(report.read_text())["report"]
    assert [one["id"] for one in content["results"]] == [rule.id for rule in RULES]
    assert content["level"] == "silver"
    assert len(content["adapter"]["sha256"]) == 64
    assert stat.S_IMODE((acme / "key.pem").stat().st_mode) == 0o600
    verified = invoke("adapters", "verify", str(report), "--adapter", str(acme))
    assert verified.json()["code"] == "the same"
    assert invoke("adapters", "verify", str(report), "--fingerprint", verified.json()["signed_by"]).code == 0
    assert invoke("adapters", "verify", str(report), "--fingerprint", "0" * 16).code == 1


def _level(document: Any) -> None:
    document["report"]["level"] = "gold"


def _result(document: Any) -> None:
    document["report"]["results"][0]["status"] = "exempt"


def _key(document: Any) -> None:
    document["signature"]["key"] = "A" * 43 + "="


def _value(document: Any) -> None:
    del document["signature"]["value"]


def _algorithm(document: Any) -> None:
    document["signature"]["algorithm"] = "none"


@pytest.mark.parametrize("change", [_level, _result, _key, _value, _algorithm])
def test_a_report_that_was_changed_is_refused(report: Path, tmp_path: Path, change: Any) -> None:
    document = json.loads(report.read_text())
    changed = tmp_path / "report.json"
    changed.write_text(json.dumps(document))
    assert invoke("adapters", "verify", str(changed)).code == 0
    change(document)
    changed.write_text(json.dumps(document))
    assert invoke("adapters", "verify", str(changed)).code == 1


def test_a_report_about_other_code_is_refused(report: Path, acme: Path) -> None:
    mapping = acme / "src/acme_e2e_adapter/mapping.py"
    before = mapping.read_text()
    mapping.write_text(before + "# changed\n")
    try:
        assert invoke("adapters", "verify", str(report), "--adapter", str(acme)).code == 1
    finally:
        mapping.write_text(before)


def test_an_adapter_below_bronze_gets_a_report_that_says_so(acme: Path, tmp_path: Path) -> None:
    fixtures = tmp_path / "fixtures"
    fixtures.mkdir()
    done = invoke("adapters", "certify", str(acme), "--key", str(acme / "key.pem"), "--into", str(tmp_path), "--fixtures", str(fixtures))
    assert done.code == 1
    assert json.loads(Path(done.out.splitlines()[0]).read_text())["report"]["level"] is None


def test_every_rule_has_its_french() -> None:
    assert set(RULES_FR) == {rule.id for rule in RULES}


@pytest.mark.parametrize("viewport", [{"width": 320, "height": 640}, PHONE, DESK], ids=["320", "390", "1280"])
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_on_every_screen_by_day_and_by_night(
    browser: Browser, report: Path, viewport: Any, language: str, scheme: Any
) -> None:
    """https://www.w3.org/TR/WCAG22/#reflow and #contrast-minimum"""
    path = str(report).removesuffix("json") + f"{language}.html"
    with opened(browser, "file://", path, viewport=viewport, color_scheme=scheme) as page:
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert page.evaluate(CONTRAST) == []
        expect(page.locator("tbody th[scope=row]")).to_have_count(len(RULES))
        page.get_by_role("link").first.click()
        assert page.locator("html").get_attribute("lang") != language
