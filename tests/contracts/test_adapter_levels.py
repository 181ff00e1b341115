"""The level that the matrix shows for each adapter is the one that the conformance kit finds. DEVICES 6.4, 6.6."""

import pytest

from adapters.discovery import adapters
from adapters.kit import levels
from adapters.kit.examine import examine
from adapters.kit.rule import LEVELS
from adapters.kit.rulebook import RULES
from hub.cli.kit.subject import find

OURS = sorted(name for name, one in adapters().items() if type(one).__module__.startswith("adapters."))
LONG = "volume"
"""Takes seconds for each adapter; the file keeps what it found."""
GOLD = {
    "aecg", "ans", "apple-health", "cied", "dexcom", "dexcom-clarity", "edf", "fit", "fitbit", "gatt", "google-fit",
    "health-connect", "ihealth", "libreview", "nightscout", "open-mhealth", "oru", "oura", "pcd01", "phd", "pocd", "tidepool",
    "wfdb", "withings", "withings-heart", "withings-sleep",
}  # fmt: skip
"""Those whose decoding was held against something from outside, and that can show every rule. The others are silver."""


@pytest.mark.parametrize("name", OURS)
def test_an_adapter_has_the_level_that_the_matrix_shows(name: str) -> None:
    """After a change: `hub adapters levels --write adapters/kit/levels.json`, then `hub adapters list --markdown > docs/devices.md`."""
    found, said = find(name), dict(levels.known()[name])
    made = levels.entry(
        found.adapter.manifest, list(examine(found.subject(), found.exemptions(), rules=[one for one in RULES if one.id != LONG]))
    )
    assert made["open"] == {rule: how for rule, how in said["open"].items() if rule != LONG}
    assert made.get("why") == said.get("why")
    assert made["version"] == said["version"]
    assert made["level"] == said["level"]


def test_no_adapter_is_below_silver_and_each_exemption_has_its_reason() -> None:
    assert {name for name in OURS if levels.known()[name]["level"] == "gold"} == GOLD
    assert {levels.known()[name]["level"] for name in OURS} <= set(LEVELS[1:])
    for name in OURS:
        ids = {rule.id for rule in RULES}
        assert all(rule in ids and len(reason) > 40 for rule, reason in find(name).exemptions().items()), name


def test_the_matrix_says_in_a_sentence_why_an_adapter_is_not_gold() -> None:
    for name in OURS:
        said = levels.known()[name]
        assert set(said.get("why", {})) == set(said["open"]), name
        assert all(reason.endswith(".") and ". " not in reason for reason in said.get("why", {}).values()), name
