"""docs/profiles.md says what is shipped: its last part is generated."""

from pathlib import Path

import pytest

from fhir_profiles.profiles import shipped
from fhir_profiles.profiles.overview import FAMILIES, demands, overview

PAGE = Path(__file__).resolve().parents[3] / "docs" / "profiles.md"


def test_the_page_is_current() -> None:
    """To renew it: everything after its last paragraph is what python -m fhir_profiles.profiles.overview prints."""
    assert PAGE.read_text().endswith(f"a test keeps it current.\n\n{overview()}")


@pytest.mark.parametrize("url", shipped())
def test_every_profile_is_on_the_page_once(url: str) -> None:
    profile = shipped()[url]
    assert len([title for title, takes in FAMILIES if takes(profile)]) == 1
    assert overview().count(f"- **{profile['id']}**: ") == 1
    assert f"`{url}`" in overview()


def test_each_rule_is_told_in_words() -> None:
    told = list(demands(shipped()["http://hl7.org/fhir/StructureDefinition/heartrate"]))
    assert "`code.coding:HeartRateCode.code` 1..1, is `8867-4`" in told
    assert "`valueQuantity.code` 1..1, is `/min`" in told
    (panel,) = [one for one in demands(shipped()["http://hl7.org/fhir/StructureDefinition/vitalspanel"]) if one.startswith("`value[x]`")]
    assert panel == "`value[x]` not allowed"
