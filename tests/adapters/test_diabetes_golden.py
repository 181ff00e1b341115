"""Fixtures of products for diabetes become the FHIR that lies beside them, digit by digit (DEVICES 6.4, golden snapshot).

A golden file is read by a person before it is committed; whoever changes a mapping sees here what it changes.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.discovery import adapters
from adapters.reading import Reading
from fhir_profiles import r4
from hub.cli.kit.bench import written
from hub.ingest.doubt import Doubt

FIXTURES = Path(__file__).parent / "fixtures"
ENDING = ".fhir.json"
PRODUCTS = ("carelink", "dexcom", "dexcom_clarity", "librelinkup", "libreview", "nightscout", "tidepool")
GOLDEN = sorted(path for name in PRODUCTS for path in (FIXTURES / name).glob(f"*{ENDING}"))
every_golden = pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.name}")


@every_golden
def test_a_fixture_becomes_the_fhir_beside_it(golden: Path) -> None:
    """To write it anew: hub adapters test NAME --write-golden."""
    fixture = golden.with_name(golden.name.removesuffix(ENDING))
    items = adapters()[fixture.parent.name.replace("_", "-")].decode(fixture.read_bytes())
    made = [one for item in items if isinstance(item, Reading) and not isinstance(one := written(item), Doubt)]
    kept = json.loads(golden.read_bytes(), parse_float=Decimal)
    assert [json.loads(one, parse_float=Decimal) for one in made] == kept
    assert [one.decode() for one in made] == golden.read_text("utf-8").removeprefix("[\n").removesuffix("\n]\n").split(",\n")


@every_golden
def test_what_is_golden_is_valid_fhir(golden: Path) -> None:
    """https://hl7.org/fhir/R4/validation.html, by our own check."""
    resources = json.loads(golden.read_bytes())
    assert resources
    assert [(one, issues) for one in resources if (issues := r4.check(one))] == []
