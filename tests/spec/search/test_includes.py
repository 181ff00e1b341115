"""What comes along with the matches, and how answers are shaped: https://hl7.org/fhir/R4/search.html#include and #summary"""

import pytest

from hub.errors import FhirError
from hub.search.asked import Include
from hub.search.includes import INCLUDES_MAX
from hub.search.parse import parse_search, parse_system_search
from tests.spec.search.given import search


def refused(type: str, *pairs: tuple[str, str], lenient: bool = False) -> FhirError:
    with pytest.raises(FhirError) as caught:
        parse_search(type, pairs, lenient=lenient)
    return caught.value


def one(source: str, parameter: str | None, target: str | None = None, *, iterate: bool = False, reverse: bool = False) -> Include:
    return Include(source=source, parameter=parameter, target=target, iterate=iterate, reverse=reverse)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("_include", "Observation:subject", one("Observation", "subject")),
        ("_include", "Observation:subject:Patient", one("Observation", "subject", "Patient")),
        ("_include", "*", one("Observation", None)),
        ("_include", "Observation:*", one("Observation", None)),
        ("_include", "Observation:*:Device", one("Observation", None, "Device")),
        ("_include:iterate", "Patient:organization", one("Patient", "organization", iterate=True)),
        ("_include:recurse", "Patient:organization", one("Patient", "organization", iterate=True)),
        ("_revinclude", "AuditEvent:entity", one("AuditEvent", "entity", reverse=True)),
        ("_revinclude", "AuditEvent:entity:Observation", one("AuditEvent", "entity", "Observation", reverse=True)),
        ("_revinclude", "AuditEvent:*", one("AuditEvent", None, reverse=True)),
        ("_revinclude:iterate", "AuditEvent:entity", one("AuditEvent", "entity", iterate=True, reverse=True)),
    ],
)
def test_an_include_names_source_parameter_and_target(name: str, value: str, found: Include) -> None:
    """R4 #include: source, parameter and, optionally, the type of the target."""
    asked = search("Observation", (name, value))
    assert asked.includes == (found,)
    assert asked.used == ((name, value),)


@pytest.mark.parametrize("value", ["subject", "Observation:", ":subject", "Observation:subject:", "a:b:c:d", "Observation"])
@pytest.mark.parametrize("lenient", [True, False])
def test_an_include_that_cannot_be_read_is_refused(value: str, lenient: bool) -> None:
    """Its form is fixed."""
    assert refused("Observation", ("_include", value), lenient=lenient).code == "invalid"


@pytest.mark.parametrize(
    ("name", "value"), [("_include", "Observation:code"), ("_include", "Observation:foo"), ("_revinclude", "Foo:subject")]
)
def test_an_include_of_what_does_not_exist_is_refused_unless_leniency_is_asked_for(name: str, value: str) -> None:
    """Like any unknown parameter."""
    assert refused("Observation", (name, value)).code == "not-supported"
    assert search("Observation", (name, value), lenient=True).includes == ()


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("_revinclude", "*", "must name the type"),
        ("_include", "Patient:organization", ":iterate"),
        ("_revinclude", "AuditEvent:entity:Patient", ":iterate"),
        ("_revinclude", "Consent:patient", "refers to no Observation"),
        ("_include", "Observation:subject:Organization", "does not lead to"),
        ("_include:exact", "Observation:subject", ":iterate"),
    ],
)
@pytest.mark.parametrize("lenient", [True, False])
def test_an_include_that_could_never_bring_anything_is_refused(name: str, value: str, hint: str, lenient: bool) -> None:
    """A mistake that nobody is told of is never put right."""
    error = refused("Observation", (name, value), lenient=lenient)
    assert error.code == "not-supported"
    assert hint in str(error)


def test_includes_have_a_limit() -> None:
    """Each is a look-up for each page."""
    assert search("Observation", *[("_include", "*")] * INCLUDES_MAX).includes == (one("Observation", None),)
    assert refused("Observation", *[("_include", "*")] * (INCLUDES_MAX + 1)).code == "invalid"


@pytest.mark.parametrize(("value", "summary"), [("true", "true"), ("text", "text"), ("data", "data"), ("count", "count"), ("false", None)])
def test_a_summary_is_one_of_five(value: str, summary: str | None) -> None:
    """R4 #summary."""
    assert search("Patient", ("_summary", value)).summary == summary


def test_a_summary_of_texts_includes_nothing() -> None:
    """R4 #summary: "_include and _revinclude parameters cannot be mixed with _summary=text"."""
    assert refused("Observation", ("_summary", "text"), ("_include", "*")).code == "invalid"


def test_elements_are_names_of_the_resources_own_elements() -> None:
    """R4 #elements: base element names, separated by commas."""
    assert search("Patient", ("_elements", "identifier,name,birthDate")).elements == ("identifier", "name", "birthDate")
    assert search("Patient").elements == ()


def test_contained_resources_come_inside_those_that_contain_them() -> None:
    """R4 #contained: false is the default; anything else would search what has no id of its own."""
    asked = search("Patient", ("_contained", "false"))
    assert asked.used == (("_contained", "false"),)
    for value in ("true", "both"):
        assert refused("Patient", ("_contained", value), lenient=True).code == "not-supported"


def test_a_search_of_the_system_is_one_search_for_each_type() -> None:
    """R4 #type: `GET [base]?_type=…`, with the parameters that all of them have."""
    pairs = (("_type", "Observation,Device"), ("_lastUpdated", "ge2026"), ("_count", "5"))
    asked = parse_system_search(pairs, lenient=False)
    assert (asked.type, asked.criteria, asked.count, asked.used) == ("", (), 5, pairs)
    assert [(each.type, len(each.criteria)) for each in asked.each] == [("Observation", 1), ("Device", 1)]


def test_without_a_type_the_system_is_all_types() -> None:
    """R4 #type: "searches all resource types"."""
    asked = parse_system_search([("_id", "a")], lenient=False)
    assert {"Patient", "Observation", "AuditEvent"} <= {each.type for each in asked.each}


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([("_type", "Observation,Patient"), ("birthdate", "2026")], "not-supported"),
        ([("_type", "Foo")], "not-supported"),
        ([("_type", "Patient"), ("_type", "Device")], "invalid"),
        ([("_type", "Patient"), ("_page", "x")], "invalid"),
    ],
)
def test_what_one_of_the_types_does_not_have_is_refused(pairs: list[tuple[str, str]], code: str) -> None:
    """http.html#search: only parameters that are common to all."""
    with pytest.raises(FhirError) as caught:
        parse_system_search(pairs, lenient=False)
    assert caught.value.code == code


def test_a_page_of_a_search_of_the_system_stands_alone() -> None:
    """As for one type."""
    asked = parse_system_search([("_page", "opaque")], lenient=False)
    assert (asked.page, asked.each, asked.used) == ("opaque", (), (("_page", "opaque"),))
