"""A query becomes a search or is refused with a reason: https://hl7.org/fhir/R4/search.html"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import FhirError
from hub.search.parse import CRITERIA_MAX, VALUE_CHARS_MAX, VALUES_MAX, parse_search
from hub.search.result import COUNT_DEFAULT, COUNT_MAX, SORT_KEYS_MAX
from tests.spec.search.given import search


def refused(*pairs: tuple[str, str], type: str = "Observation", lenient: bool = False) -> FhirError:
    with pytest.raises(FhirError) as caught:
        parse_search(type, pairs, lenient=lenient)
    return caught.value


UNKNOWN = [
    *(
        "foo",
        "Code",
        "subject.foo",
        "subject:Patient.foo",
        "status.name",
        "_has:Group:foo:_id",
        "_has:Foo:subject:_id",
        "_has:AuditEvent:entity",
    ),
    *("_text", "_content", "_filter", "_query", "_type", "_containedType"),
]


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_parameter_is_refused_unless_leniency_is_asked_for(name: str) -> None:
    """R4 #errors; docs/search.md: to ignore in silence would disclose too much, so strict is the default."""
    error = refused((name, "secret-value"))
    assert error.code == "not-supported"
    assert f"'{name}'" in str(error)
    assert "handling=lenient" in str(error)
    assert "secret-value" not in str(error)
    found = search("Observation", (name, "x"), ("code", "a"), lenient=True)
    assert found.ignored == (f"'{name}'",)
    assert found.used == (("code", "a"),)
    assert len(found.criteria) == 1


@pytest.mark.parametrize("lenient", [True, False])
def test_an_unsupported_modifier_is_refused_always(lenient: bool) -> None:
    """R4 #modifiers: servers SHALL reject it; leaving it out would change the question."""
    error = refused(("code:exact", "secret-value"), lenient=lenient)
    assert error.code == "not-supported"
    assert ":not" in str(error)
    assert "secret-value" not in str(error)


def test_id_takes_no_modifier() -> None:
    """There is nothing to modify in an exact id that every resource has."""
    assert refused(("_id:missing", "true")).code == "not-supported"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", "secret"),
        ("date", "xx2026"),
        ("date", "gtlt2026"),
        ("code", "se|cr|et"),
        ("patient", "sec ret"),
        ("_id", "sec_ret"),
        ("_lastUpdated", "secret"),
        ("code", r"\secret"),
        ("code", "secret,,x"),
        ("code", ","),
        ("code:missing", "secret"),
        ("_count", "secret"),
        ("_count", "-1"),
        ("_count", "1.0"),
        ("_count", "²"),
        ("_count", "9" * 10_000),
        ("_total", "secret"),
        ("_summary", "secret"),
        ("_elements", "secret.x"),
        ("_elements", ","),
        ("_contained", "secret"),
        ("_sort", "secret"),
        ("_sort", "subject"),
        ("_sort", "date,"),
        ("_sort", "--date"),
    ],
)
@pytest.mark.parametrize("lenient", [True, False])
def test_a_value_that_cannot_be_read_is_refused_without_repeating_it(name: str, value: str, lenient: bool) -> None:
    """R4 #errors: 400 with an OperationOutcome; law 4: texts never repeat what may name a person."""
    error = refused((name, value), lenient=lenient)
    assert error.code == "invalid"
    assert f"'{name}'" in str(error)
    assert "secret" not in str(error)
    assert error.issues[0].expression == f"http.{name}"


@pytest.mark.parametrize("name", ["1750399123456", "Dupont Marie", "a" * 100, "", "<script>", "nom=é"])
def test_a_name_that_may_be_a_value_is_not_shown(name: str) -> None:
    """A forgotten "=" makes a value a name."""
    error = refused((name, ""))
    assert error.code == "not-supported"
    assert "(name not shown)" in str(error)
    assert not name or name not in str(error)
    assert error.issues[0].expression is None


def test_an_unknown_type_is_refused() -> None:
    """Silence means no: what has no row is not searched."""
    assert refused(type="Parameters").code == "not-supported"


def test_empty_parameters_are_ignored_and_told() -> None:
    """R4: empty parameters are not an error, they are just ignored by the server."""
    found = search("Observation", ("code", ""), ("_count", ""), ("status", "final"))
    assert found.ignored == ("'code'", "'_count'")
    assert found.used == (("status", "final"),)
    assert found.count is None


def test_what_shapes_any_answer_is_passed_over() -> None:
    """https://hl7.org/fhir/R4/http.html#parameters: _format and _pretty are no matter of search."""
    found = search("Observation", ("_format", "json"), ("_pretty", "true"), ("code", "a"))
    assert (found.used, found.ignored) == ((("code", "a"),), ())


def test_what_was_used_is_kept_as_sent_and_in_order() -> None:
    """R4 #conformance: the self link shows what was actually used to process the search."""
    pairs = (("code", r"a\,b,c"), ("_sort", "-date,_id"), ("date", "ge2026"), ("_total", "accurate"), ("date", "lt2027"))
    assert search("Observation", *pairs).used == pairs


@pytest.mark.parametrize(
    ("sent", "count", "size", "used"),
    [
        (None, None, COUNT_DEFAULT, ()),
        ("10", 10, 10, (("_count", "10"),)),
        ("0", 0, 0, (("_count", "0"),)),
        ("5000", COUNT_MAX, COUNT_MAX, (("_count", str(COUNT_MAX)),)),
    ],
)
def test_count_is_bounded(sent: str | None, count: int | None, size: int, used: tuple[tuple[str, str], ...]) -> None:
    """R4 #count: a server may return fewer than asked, never more; the self link says how many it took."""
    found = search("Patient", *([] if sent is None else [("_count", sent)]))
    assert (found.count, found.page_size, found.used) == (count, size, used)
    assert found.count_only is (sent == "0")


def test_count_zero_is_summary_count() -> None:
    """R4 #count: `_count=0` is treated as `_summary=count`."""
    assert search("Patient", ("_summary", "count")).count_only
    assert not search("Patient", ("_summary", "false")).count_only


@pytest.mark.parametrize("total", ["none", "estimate", "accurate"])
def test_total_is_one_of_three(total: str) -> None:
    """R4 #total."""
    assert search("Patient", ("_total", total)).total == total
    assert search("Patient").total is None


def test_sort_keys_keep_their_order_and_direction() -> None:
    """R4 #sort: a comma separated list, a leading - is descending."""
    assert search("Observation", ("_sort", "status,-date,_lastUpdated")).sort == (
        ("status", False),
        ("date", True),
        ("_lastUpdated", False),
    )
    assert refused(("_sort", ",".join(["date"] * (SORT_KEYS_MAX + 1)))).code == "invalid"


@pytest.mark.parametrize("name", ["_count", "_sort", "_total", "_summary", "_page"])
def test_a_result_parameter_is_given_once(name: str) -> None:
    """Two page sizes are a mistake of the client's; guessing would hide it."""
    value = {"_count": "1", "_sort": "date", "_total": "none", "_summary": "count", "_page": "x"}[name]
    assert refused((name, value), (name, value)).code == "invalid"


def test_a_page_link_stands_alone() -> None:
    """The link holds the search; something beside it would be believed to have an effect."""
    assert search("Observation", ("_page", "opaque"), ("_format", "json")).page == "opaque"
    assert refused(("_page", "opaque"), ("code", "a")).code == "invalid"
    assert refused(("_count", "5"), ("_page", "opaque")).code == "invalid"


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        ([("code", "a")] * CRITERIA_MAX, [("code", "a")] * (CRITERIA_MAX + 1)),
        ([("code", ",".join(["a"] * VALUES_MAX))], [("code", ",".join(["a"] * (VALUES_MAX + 1)))]),
        ([("code", "a" * VALUE_CHARS_MAX)], [("code", "a" * (VALUE_CHARS_MAX + 1))]),
    ],
)
def test_everything_has_a_limit(within: list[tuple[str, str]], beyond: list[tuple[str, str]]) -> None:
    """STYLE rule 8: a named limit, and a refusal that names it."""
    assert search("Observation", *within).criteria
    assert refused(*beyond).code == "invalid"


@pytest.mark.parametrize("name", ["name", "name:exact", "name:contains", "identifier", "birthdate"])
def test_an_empty_alternative_is_refused(name: str) -> None:
    """Between two commas somebody forgot a value; guessing that it means nothing would widen or narrow the search."""
    assert refused((name, "1980,,1981"), type="Patient").code == "invalid"
    assert refused((name, "1980,"), type="Patient").code == "invalid"


NAMES = st.sampled_from(
    ["code", "date", "patient", "status:not", "_id", "code:missing", "_count", "_sort", "_total", "x", "_page", "subject:Group"]
)


@given(st.lists(st.tuples(NAMES | st.text(max_size=8), st.text(max_size=12)), max_size=4), st.booleans())
def test_any_query_is_understood_or_refused(pairs: list[tuple[str, str]], lenient: bool) -> None:
    """No other error ever leaves, and what is understood is understood alike the second time."""
    try:
        found = parse_search("Observation", pairs, lenient=lenient)
    except FhirError:
        return
    again = parse_search("Observation", found.used, lenient=False)
    assert (again.criteria, again.sort, again.count, again.page) == (found.criteria, found.sort, found.count, found.page)
