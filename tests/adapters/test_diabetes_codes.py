"""The codes that products for diabetes share are those of our CodeSystems, in the same words."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.diabetes_codes import EVENT, MODE, TREND
from adapters.reading import Coded

DEFINITIONS = Path(__file__).parents[2] / "fhir_profiles" / "structure_definitions"


@pytest.mark.parametrize(
    ("codes", "name"),
    [(TREND, "glucose-trend"), (MODE, "insulin-delivery-mode"), (EVENT, "insulin-pump-event")],
    ids=["trend", "mode", "event"],
)
def test_shared_codes_are_those_of_the_code_system(codes: Mapping[str, Coded], name: str) -> None:
    """https://hl7.org/fhir/R4/codesystem.html"""
    system = json.loads((DEFINITIONS / f"CodeSystem-{name}.json").read_text("utf-8"))
    assert {code: coded.display for code, coded in codes.items()} == {one["code"]: one["display"] for one in system["concept"]}
    assert {(coded.system, coded.code) for coded in codes.values()} == {(system["url"], code) for code in codes}
