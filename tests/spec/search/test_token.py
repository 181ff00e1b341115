"""Tokens: https://hl7.org/fhir/R4/search.html#token"""

from typing import Any

import pytest

from hub.errors import FhirError
from hub.search.systems import LOINC
from tests.spec.search.given import found, narrowed, search


def observation(*codings: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o", "code": {"coding": list(codings)}, **more}


KNOWN = observation({"system": LOINC, "code": "1-8"})
UNLISTED = observation({"system": "urn:local", "code": "1-8"})
BARE = observation({"code": "1-8"})
TEXT_ONLY = {"resourceType": "Observation", "id": "o", "code": {"text": "1-8"}}


@pytest.mark.parametrize(
    ("value", "known", "unlisted", "bare"),
    [
        ("1-8", True, True, True),
        (f"{LOINC}|1-8", True, False, False),
        ("urn:local|1-8", False, True, False),
        ("|1-8", False, False, True),
        (f"{LOINC}|", True, False, False),
        ("urn:local|", False, True, False),
        ("1-9", False, False, False),
        ("*|1-8", False, False, False),
        ("1-8,1-9", True, True, True),
        (f"{LOINC}|1-9,urn:local|1-8", False, True, False),
    ],
)
def test_the_system_is_asked_for_as_written(value: str, known: bool, unlisted: bool, bare: bool) -> None:
    """[system]|[code], |[code], [code], [system]|, each with its own meaning."""
    assert [found(one, ("code", value)) for one in (KNOWN, UNLISTED, BARE)] == [known, unlisted, bare]
    assert not found(TEXT_ONLY, ("code", value))


@pytest.mark.parametrize("value", ["1-8", f"{LOINC}|1-8", "|1-8", "1-8,1-9"])
def test_tokens_decide_a_code_alone(value: str) -> None:
    """docs/search.md: exact without opening, also for any system and for :not."""
    assert narrowed(search("Observation", ("code", value))).exact
    assert narrowed(search("Observation", ("code:not", value))).exact


def test_a_system_alone_is_decided_on_the_opened_resource() -> None:
    """Tokens know pairs, not systems."""
    assert not narrowed(search("Observation", ("code", f"{LOINC}|"))).exact
    assert not narrowed(search("Observation", ("code:not", f"{LOINC}|"))).exact
    assert found(UNLISTED, ("code:not", f"{LOINC}|"))
    assert not found(KNOWN, ("code:not", f"{LOINC}|"))


def test_not_means_none_of_them_and_a_resource_without_a_value_matches() -> None:
    """docs/search.md: `:not=a,b` is neither; R4: includes resources that have no value."""
    both = observation({"system": LOINC, "code": "1-8"}, {"system": LOINC, "code": "2-6"})
    assert not found(both, ("code:not", "1-8,3-4"))
    assert not found(both, ("code:not", "2-6"))
    assert found(both, ("code:not", "3-4"))
    assert found({"resourceType": "Observation", "id": "o"}, ("code:not", "1-8"))


@pytest.mark.parametrize(
    "coding", [{"system": "*", "code": "a"}, {"system": "a|b", "code": "c"}, {"system": "a\\", "code": "b"}, {"system": "", "code": "a"}]
)
@pytest.mark.parametrize("value", ["a", "b", "c", r"\*|a", r"a|b\|c", r"a\|b|c", r"a\\|b", "*|a", "|a", r"\|a"])
def test_odd_systems_are_never_mistaken_for_others(coding: dict[str, str], value: str) -> None:
    """`found` asserts that tokens and the opened resource agree."""
    if value == r"\*|a":
        with pytest.raises(FhirError):
            search("Observation", ("code", value))
        return
    found(observation(coding), ("code", value))


@pytest.mark.parametrize(
    ("value", "hit"),
    [
        ("final", True),
        ("|final", True),
        ("http://hl7.org/fhir/observation-status|final", True),
        ("http://hl7.org/fhir/observation-status|", True),
        ("urn:other|final", False),
        ("urn:other|", False),
        ("Final", False),
    ],
)
def test_an_element_of_type_code_has_its_system_by_definition(value: str, hit: bool) -> None:
    """R4 #token: for code the system is implied by the binding."""
    assert found({"resourceType": "Observation", "id": "o", "status": "final"}, ("status", value)) is hit


def test_a_boolean_is_true_or_false() -> None:
    """R4 #token: boolean."""
    assert found(
        {"resourceType": "Patient", "id": "p", "active": True}, ("active", "http://terminology.hl7.org/CodeSystem/special-values|true")
    )
    with pytest.raises(FhirError, match="true or false"):
        search("Patient", ("active", "1"))


@pytest.mark.parametrize(
    ("value", "with_system", "without"),
    [
        ("7", True, True),
        ("urn:s|7", True, False),
        ("|7", False, True),
        ("urn:s|", True, False),
        ("urn:t|7", False, False),
        ("*|7", False, False),
    ],
)
def test_an_identifier_is_asked_for_like_a_coding(value: str, with_system: bool, without: bool) -> None:
    """R4 #token: Identifier.system and Identifier.value."""
    assert (
        found({"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:s", "value": "7"}]}, ("identifier", value))
        is with_system
    )
    assert found({"resourceType": "Patient", "id": "p", "identifier": [{"value": "7"}]}, ("identifier", value)) is without


def test_escaped_bars_and_commas_belong_to_the_value() -> None:
    """R4 #escaping."""
    resource = {"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:s", "value": r"a|b,c$d\e"}]}
    assert found(resource, ("identifier", r"urn:s|a\|b\,c\$d\\e"))
    assert not found(resource, ("identifier", r"urn:s|a\|b,x"))


@pytest.mark.parametrize("value", ["|", "a|b|c", "||"])
def test_what_is_neither_system_nor_code_is_refused(value: str) -> None:
    """R4 #token: four forms, no other."""
    with pytest.raises(FhirError, match="system\\|code"):
        search("Observation", ("code", value))


@pytest.mark.parametrize("modifier", ["of-type", "exact", "contains", "identifier", "Patient", ""])
def test_other_modifiers_are_refused(modifier: str) -> None:
    """R4 #modifiers: an unsupported modifier SHALL be refused."""
    with pytest.raises(FhirError) as refused:
        search("Observation", (f"code:{modifier}", "a"), lenient=True)
    assert refused.value.code == "not-supported"


@pytest.mark.parametrize(("resource", "missing"), [(KNOWN, False), (TEXT_ONLY, False), ({"resourceType": "Observation", "id": "o"}, True)])
def test_missing_asks_for_the_element(resource: dict[str, Any], missing: bool) -> None:
    """R4 #modifiers :missing."""
    assert found(resource, ("code:missing", "true")) is missing
    assert found(resource, ("code:missing", "false")) is not missing
