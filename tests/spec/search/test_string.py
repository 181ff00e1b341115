"""Strings: https://hl7.org/fhir/R4/search.html#string, readings as docs/search.md states them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import FhirError
from hub.search.words import readings
from tests.spec.search.given import found, narrowed, search


def organization(name: str) -> dict[str, str]:
    return {"resourceType": "Organization", "id": "o", "name": name}


@pytest.mark.parametrize(
    ("name", "value", "hit"),
    [
        ("Jean-Pierre Dupont", "jean", True),
        ("Jean-Pierre Dupont", "JEAN-P", True),
        ("Jean-Pierre Dupont", "jean pierre", True),
        ("Jean-Pierre Dupont", "jeanpierre", True),
        ("Jean-Pierre Dupont", "pierre dup", True),
        ("Jean-Pierre Dupont", "dupont", True),
        ("Jean-Pierre Dupont", "pont", False),
        ("Jean-Pierre Dupont", "jean dupont", False),
        ("Jean Pierre", "jean-pierre", True),
        ("Ann Ebert", "anne", False),
        ("O'Brien", "obrien", True),
        ("O'Brien", "o’brien", True),
        ("O'Brien", "brien", True),
        ("Hélène Lecœur", "helene lecoeur", True),
        ("Helene Lecoeur", "Hélène  Lecœur", True),
        ("Straße", "STRASSE", True),
        ("He\u0301le\u0300ne", "h\u00e9l", True),
        ("Dupont,\tMarie ", "dupont marie", True),
        ("Wolfeschlegelsteinhausen", "wolfeschlegelstein", True),
        ("Wolfeschlegelsteinhausen", "wolfeschlegelsteinx", False),
        ("Centre 3", "3", True),
        ("東京病院", "東京", True),
        ("", "a", False),
    ],
)
def test_a_string_is_found_from_the_start_of_any_word(name: str, value: str, hit: bool) -> None:
    """Case and accents folded; punctuation dropped or read as a space; white space run together."""
    assert found(organization(name), ("name", value)) is hit


@pytest.mark.parametrize(("value", "exact"), [("dup", True), ("dupontel", True), ("duponteli", False), ("du pont", False), ("du-p", False)])
def test_tokens_decide_one_word_of_up_to_eight_characters(value: str, exact: bool) -> None:
    """docs/search.md: longer queries are narrowed and then decided on the opened resource."""
    assert narrowed(search("Organization", ("name", value))).exact is exact


@pytest.mark.parametrize(("value", "hit"), [("Hélène", True), ("hélène", False), ("Helene", False), ("Hél", False), ("Hélène ", False)])
def test_exact_compares_every_character(value: str, hit: bool) -> None:
    """R4 :exact: the whole string, including casing and accents."""
    assert found(organization("Hélène"), ("name:exact", value)) is hit


def test_exact_finds_what_has_neither_letter_nor_digit() -> None:
    """Nothing to narrow by, and still decided."""
    assert found(organization("***"), ("name:exact", "***"))
    assert not found(organization("**"), ("name:exact", "***"))


@pytest.mark.parametrize(("value", "hit"), [("PONT", True), ("e d", True), ("xpont", False), ("rredu", False)])
def test_contains_looks_anywhere(value: str, hit: bool) -> None:
    """R4 :contains, normalised like the rest."""
    assert found(organization("Pierre Dupont"), ("name:contains", value)) is hit


@pytest.mark.parametrize("code", ["name", "name:contains"])
def test_a_value_without_letter_or_digit_is_refused(code: str) -> None:
    """After normalisation nothing would be left to look for."""
    with pytest.raises(FhirError, match="letter or a digit"):
        search("Organization", (code, "-'"))


def test_name_looks_into_each_part_of_a_name() -> None:
    """R4 Patient `name`: any of the string parts of a HumanName; family and given only theirs."""
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"family": "Roux", "given": ["Léa", "Zoé"], "suffix": ["fille"]}, {"text": "Mimi"}],
    }
    for value in ("roux", "lea", "zoe", "fille", "mimi"):
        assert found(patient, ("name", value))
    assert not found(patient, ("family", "lea"))
    assert not found(patient, ("given", "roux"))


def test_a_comma_in_a_string_is_escaped() -> None:
    """R4 #escaping; unescaped it is OR."""
    assert found(organization("Dupont, Marie"), ("name", r"Dupont\, Marie"))
    assert found(organization("Martin"), ("name", "Dupont,Mart"))


TEXTS = st.text(alphabet=st.sampled_from([*"abÉœ -'.\t", "\u0301", "ß", "İ", "ﬁ", "क", "ि"]), max_size=14)


@given(TEXTS, TEXTS)
def test_tokens_agree_with_words_for_any_text(name: str, value: str) -> None:
    """`found` asserts it; what a text normalises to is found by the text itself."""
    if readings(value):
        found(organization(name), ("name", value.replace("\\", "")))
    if readings(name):
        assert found(organization(name), ("name", name))
        assert found(organization(name), ("name:exact", name))
        assert found(organization(name), ("name:contains", name))
