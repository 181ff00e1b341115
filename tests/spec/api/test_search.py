"""FHIR search over HTTP. https://hl7.org/fhir/R4/http.html#search, https://hl7.org/fhir/R4/search.html"""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.caller import Caller, ids, link, resources
from tests.support.outcomes import issues, refused
from tests.support.resources import ABSENT, HEART_RATE, LOINC, WEIGHT, observation, organization, patient

Json = dict[str, Any]


@pytest.fixture(scope="module")
def days(ehr: Caller) -> Json:
    """A patient with a reading on each of the first nine days of March, alternating codes, one of them preliminary."""
    made = ehr.create(patient("Neufjours"))
    for day in range(1, 10):
        code, unit = (HEART_RATE, "/min") if day % 2 else (WEIGHT, "kg")
        status = {"status": "preliminary"} if day == 9 else {}
        ehr.create(observation(made["id"], code, 60 + day, at=f"2026-03-0{day}T08:00:00Z", unit=unit, **status))
    return made


def dates(bundle: Json) -> list[str]:
    return [one["effectiveDateTime"][8:10] for one in resources(bundle)]


def test_the_answer_is_a_searchset(ehr: Caller, days: Json) -> None:
    """bundle.html#searchset: type, entries with fullUrl and mode match, self link."""
    bundle = ehr.search(f"Observation?patient={days['id']}&_count=2")
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    for entry in bundle["entry"]:
        assert entry["search"] == {"mode": "match"}
        assert entry["fullUrl"] == f"{ehr.base}/Observation/{entry['resource']['id']}"
        assert ehr.get(entry["fullUrl"]).json() == entry["resource"]


def test_nothing_found_is_an_answer_without_entries(ehr: Caller) -> None:
    """http.html#search: 200 and an empty Bundle; JSON of R4 has no empty arrays."""
    bundle = ehr.search(f"Observation?patient={ABSENT}&_total=accurate")
    assert bundle["total"] == 0
    assert "entry" not in bundle


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"code={LOINC}|{HEART_RATE}", 5),
        (f"code={HEART_RATE},{WEIGHT}", 9),
        (f"code={HEART_RATE}&code={WEIGHT}", 0),
        (f"code:not={HEART_RATE}", 4),
        ("code=http://other|8867-4", 0),
        ("date=2026-03-02", 1),
        ("date=ge2026-03-02&date=lt2026-03-05", 3),
        ("date=2026-03", 9),
        ("date=sa2026-03-08", 1),
        ("date=eb2026-03-02", 1),
        ("date=ne2026-03-02", 8),
        ("date=2026-03-02T08:00:00Z", 1),
        ("date=2026-03-02T09:00:00%2B01:00", 1),
        ("date=2026-03-02T08:00:01Z", 0),
        ("status=preliminary", 1),
        ("status:not=preliminary", 8),
        ("category=vital-signs&status=final&date=gt2026-03-04", 4),
        ("date:missing=true", 0),
        ("date:missing=false", 9),
        ("device:missing=true", 9),
        ("_lastUpdated=ge2026-01-01", 9),
        ("_lastUpdated=lt2026-01-01", 0),
    ],
)
def test_criteria_select(ehr: Caller, days: Json, query: str, expected: int) -> None:
    """search.html: AND across parameters, OR inside one, prefixes, modifiers; total and entries agree."""
    bundle = ehr.search(f"Observation?patient={days['id']}&{query}&_total=accurate")
    assert (bundle["total"], len(resources(bundle))) == (expected, expected)


def test_post_search_finds_what_get_finds(ehr: Caller, days: Json) -> None:
    """http.html#search: POST _search has the semantics of GET; parameters of URL and body count together."""
    pairs = {"patient": days["id"], "code": HEART_RATE, "_count": "3", "_total": "accurate"}
    got = ehr.get("Observation", params=pairs).json()
    url = "&".join(f"{name}={value}" for name, value in list(pairs.items())[:2])
    for query, form in (
        ("", pairs),
        (f"?{url}", dict(list(pairs.items())[2:])),
        ("?" + "&".join(f"{n}={v}" for n, v in pairs.items()), {}),
    ):
        posted = ehr.request(
            "POST", f"Observation/_search{query}", data=form, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert posted.status_code == 200, posted.text
        assert without_cursor(posted.json()) == without_cursor(got)


def without_cursor(bundle: Json) -> Json:
    """Each page link is sealed anew."""
    links = [one if one["relation"] == "self" else {"relation": one["relation"]} for one in bundle["link"]]
    return {**bundle, "link": links}


def test_post_search_needs_no_form_where_the_url_says_everything(ehr: Caller, days: Json) -> None:
    """http.html#search: POST [base]/[type]/_search{?[parameters]}; what has no content has no type of content."""
    query = f"patient={days['id']}&code={HEART_RATE}&_total=accurate"
    answer = ehr.request("POST", f"Observation/_search?{query}")
    assert answer.status_code == 200, answer.text
    assert without_cursor(answer.json()) == without_cursor(ehr.search(f"Observation?{query}"))


def test_post_search_takes_forms_only(ehr: Caller) -> None:
    refused(ehr.request("POST", "Observation/_search", json={"code": "x"}), 415, "not-supported")


def test_the_self_link_says_what_was_searched(ehr: Caller, days: Json) -> None:
    """search.html#conformance: the self link holds the parameters that were used, so that a client can tell."""
    bundle = ehr.search(f"Observation?patient={days['id']}&code={LOINC}|{HEART_RATE}&_sort=-date&_count=1&_total=accurate&_format=json")
    self_link = link(bundle, "self") or ""
    assert self_link.startswith(f"{ehr.base}/Observation?")
    assert dict(parse_qsl(urlsplit(self_link).query)) == {
        "patient": days["id"],
        "code": f"{LOINC}|{HEART_RATE}",
        "_sort": "-date",
        "_count": "1",
        "_total": "accurate",
    }
    assert ids(ehr.search(self_link)) == ids(bundle)


def test_the_self_link_tells_what_the_server_made_of_it(ehr: Caller, days: Json) -> None:
    """search.html#count: a server may return fewer than asked for; the self link says how many it would."""
    bundle = ehr.search(f"Observation?patient={days['id']}&_count=5000&code=")
    assert dict(parse_qsl(urlsplit(link(bundle, "self") or "").query)) == {"patient": days["id"], "_count": "1000"}


@pytest.mark.parametrize("prefer", [None, "handling=strict"])
@pytest.mark.parametrize(
    "unknown",
    [
        "nonsense=1",
        "Code=x",
        "code:nonsense=x",
        "code.name=x",
        "_include=Observation:code",
        "_revinclude=*",
        "_has:x=y",
        "_contained=true",
    ],
)
def test_what_the_hub_does_not_know_is_refused(ehr: Caller, unknown: str, prefer: str | None) -> None:
    """FHIR.md 0.7: on a health hub, silent ignoring discloses too much; strict is the default."""
    answer = ehr.get(f"Observation?patient={ABSENT}&{unknown}", headers={} if prefer is None else {"Prefer": prefer})
    refused(answer, 400, "not-supported")


def test_under_lenient_handling_the_unknown_is_left_out_and_said(ehr: Caller, days: Json) -> None:
    """search.html#errors: Prefer handling=lenient; the self link and an OperationOutcome tell what was ignored."""
    bundle = ehr.search(f"Observation?patient={days['id']}&nonsense=1&_count=3", headers={"Prefer": "handling=lenient"})
    assert len(resources(bundle)) == 3
    assert "nonsense" not in (link(bundle, "self") or "")
    outcome = bundle["entry"][-1]
    assert outcome["search"]["mode"] == "outcome"
    assert outcome["resource"]["issue"][0]["severity"] == "warning"
    assert "nonsense" in outcome["resource"]["issue"][0]["diagnostics"]


def test_lenient_handling_does_not_excuse_modifiers(ehr: Caller) -> None:
    """search.html#modifiers: a modifier that is not supported SHALL be refused."""
    answer = ehr.get(f"Observation?patient={ABSENT}&code:exact=x", headers={"Prefer": "handling=lenient"})
    refused(answer, 400, "not-supported")


UNREADABLE = """
    date=yesterday date=2026-13-01 date=zz2026 date=2026-03-01T25:00:00Z _count=-1 _count=x _count=1&_count=2
    _sort=nonsense _sort=patient _total=some _summary=Data _summary=some patient=Patient/a/b patient=Device/x code=a|b|c
    code=, code=a,,b code=a\\ _id=a_b _lastUpdated=x date:missing=maybe patient:Device=x _page=nonsense&code=x
""".split()  # noqa: SIM905 (one to a line would be a page)


@pytest.mark.parametrize("wrong", UNREADABLE)
def test_a_value_that_cannot_be_read_is_a_bad_request(ehr: Caller, wrong: str) -> None:
    """search.html#errors: 400 and which parameter; the text repeats no value (law 4)."""
    answer = ehr.get(f"Observation?{wrong}")
    refused(answer, 400, "invalid")
    assert issues(answer)[0]["expression"] == [f"http.{wrong.partition('=')[0]}"]


def test_limits_on_what_one_search_may_ask(ehr: Caller) -> None:
    """STYLE rule 8: every list has a named limit; beyond it 400, never a slow failure."""
    for query in (
        "&".join(f"code=c{n}" for n in range(33)),
        "code=" + ",".join(map(str, range(251))),
        "code=" + "x" * 17_000,
        "&".join("code=" for _ in range(101)),
    ):
        answer = ehr.request(
            "POST", "Observation/_search", content=query.encode(), headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        refused(answer, 400, "invalid")


def test_parameters_must_be_utf8(ehr: Caller) -> None:
    refused(ehr.get("/fhir/Patient?name=%ff"), 400, "invalid")


def test_empty_parameters_are_passed_over_and_said(ehr: Caller, days: Json) -> None:
    """search.html: a parameter without a value is no error."""
    bundle = ehr.search(f"Observation?patient={days['id']}&code=&_total=accurate")
    assert bundle["total"] == 9
    assert bundle["entry"][-1]["search"]["mode"] == "outcome"


@pytest.mark.parametrize(("query", "entries"), [("_count=0", False), ("_summary=count", False), ("_total=accurate", True)])
def test_totals_are_exact(ehr: Caller, days: Json, query: str, entries: bool) -> None:
    """search.html#summary, #count, #total: the number that this caller may see; _count=0 is _summary=count."""
    bundle = ehr.search(f"Observation?patient={days['id']}&code={HEART_RATE}&{query}")
    assert bundle["total"] == 5
    assert ("entry" in bundle) is entries
    assert link(bundle, "next") is None


@pytest.mark.parametrize(
    ("summary", "kept"),
    [
        ("true", {"status", "code", "subject", "effectiveDateTime", "valueQuantity"}),
        ("text", {"status", "code", "text"}),
        ("data", {"status", "category", "code", "subject", "effectiveDateTime", "valueQuantity", "note"}),
        ("false", {"status", "category", "code", "subject", "effectiveDateTime", "valueQuantity", "note", "text"}),
        ("count", None),
    ],
)
def test_each_of_the_five_summaries_keeps_its_part(ehr: Caller, summary: str, kept: set[str] | None) -> None:
    """search.html#summary: of elements of the summary, of the narrative, of all but that, of everything, or the number alone."""
    made = ehr.create(patient())
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    ehr.create(observation(made["id"], text=text, note=[{"text": "x"}]))
    bundle = ehr.search(f"Observation?patient={made['id']}&_summary={summary}")
    if kept is None:
        assert (bundle["total"], "entry" in bundle) == (1, False)
        return
    (resource,) = resources(bundle)
    assert resource.keys() - {"resourceType", "id", "meta"} == kept
    assert ("tag" in resource["meta"]) is (summary != "false")


@pytest.mark.parametrize("query", ["", "_total=none"])
def test_a_total_that_was_not_asked_for_is_not_made_up(ehr: Caller, days: Json, query: str) -> None:
    """search.html#total; FHIR.md 2b: Bundle.total is never wrong, and costs nothing unless asked for."""
    assert "total" not in ehr.search(f"Observation?patient={days['id']}&_count=2&{query}")


@pytest.mark.parametrize("shape", ["_count=2", "_count=2&_sort=code"])
def test_an_estimate_is_as_good_as_the_total(ehr: Caller, days: Json, shape: str) -> None:
    """search.html#total: a rough estimate; whoever asks for one gets a number."""
    query = f"Observation?patient={days['id']}&{shape}"
    assert ehr.search(f"{query}&_total=estimate")["total"] == ehr.search(f"{query}&_total=accurate")["total"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("date", ["01", "02", "03", "04", "05", "06", "07", "08", "09"]),
        ("-date", ["09", "08", "07", "06", "05", "04", "03", "02", "01"]),
        ("code,-date", ["08", "06", "04", "02", "09", "07", "05", "03", "01"]),
        ("-code,date", ["01", "03", "05", "07", "09", "02", "04", "06", "08"]),
        ("status,date", ["01", "02", "03", "04", "05", "06", "07", "08", "09"]),
        ("-status,-date", ["09", "08", "07", "06", "05", "04", "03", "02", "01"]),
        ("_lastUpdated", ["01", "02", "03", "04", "05", "06", "07", "08", "09"]),
        ("-_lastUpdated", ["09", "08", "07", "06", "05", "04", "03", "02", "01"]),
    ],
)
def test_results_come_in_the_order_asked_for_also_across_pages(ehr: Caller, days: Json, sort: str, expected: list[str]) -> None:
    """search.html#sort: several keys, most significant first; the order holds over pages."""
    query = f"Observation?patient={days['id']}&_sort={sort}"
    assert dates(ehr.search(query)) == expected
    assert [date for page in ehr.pages(f"{query}&_count=2") for date in dates(page)] == expected


def test_observations_come_latest_first_unless_asked_otherwise(ehr: Caller, days: Json) -> None:
    assert dates(ehr.search(f"Observation?patient={days['id']}")) == ["09", "08", "07", "06", "05", "04", "03", "02", "01"]


@pytest.mark.parametrize(
    ("sort", "descending"),
    [("_id", False), ("-_id", True), ("date,_id", False), ("date,-_id", True), ("-date,_id", False), ("-date,-_id", True)],
)
def test_ties_are_broken_as_asked(ehr: Caller, sort: str, descending: bool) -> None:
    """search.html#sort: `_id` is a sort key like any other, also where the others are equal."""
    made = ehr.create(patient())
    for _ in range(6):
        ehr.create(observation(made["id"]))
    found = ehr.found(f"Observation?patient={made['id']}&_sort={sort}")
    assert found == sorted(found, reverse=descending)
    assert [id for page in ehr.pages(f"Observation?patient={made['id']}&_sort={sort}&_count=4") for id in ids(page)] == found


def test_what_has_no_date_comes_last_either_way(ehr: Caller) -> None:
    """search.html#sort leaves it to the server; ours: missing values come last, ascending and descending."""
    made = ehr.create(patient())
    undated = observation(made["id"], category="survey")
    del undated["effectiveDateTime"]
    first, second = ehr.create(undated)["id"], ehr.create(undated)["id"]
    early, late = (ehr.create(observation(made["id"], at=f"2026-01-0{day}"))["id"] for day in (1, 2))
    for sort, dated in (("date", [early, late]), ("-date", [late, early])):
        query = f"Observation?patient={made['id']}&_sort={sort}"
        assert ehr.found(query)[:2] == dated
        assert set(ehr.found(query)[2:]) == {first, second}
        assert [id for page in ehr.pages(f"{query}&_count=1") for id in ids(page)] == ehr.found(query)


def test_one_resource_is_found_once_however_often_it_matches(ehr: Caller) -> None:
    """search.html: a match is a match; several codings do not double it."""
    made = ehr.create(patient())
    both = {"coding": [{"system": LOINC, "code": HEART_RATE}, {"system": LOINC, "code": WEIGHT}]}
    double = {**observation(made["id"]), "code": both}
    id = ehr.create(double)["id"]
    bundle = ehr.search(f"Observation?patient={made['id']}&code={HEART_RATE},{WEIGHT}&_total=accurate")
    assert (ids(bundle), bundle["total"]) == ([id], 1)


def test_names_are_found_without_case_accents_and_from_the_start_of_words(ehr: Caller) -> None:
    """search.html#string"""
    made = ehr.create(patient(name=[{"family": "Lefèvre-Élysée", "given": ["Zoé"]}], identifier=[{"system": "urn:names", "value": "1"}]))
    mine = "identifier=urn:names|1"
    for query in ("name=lefevre", "family=LEFÈV", "name=elysee", "family:exact=Lefèvre-Élysée", "family:contains=vre-é", "given=zoe"):
        assert ehr.found(f"Patient?{mine}&{query}") == [made["id"]], query
    for query in ("name=fevre", "family:exact=lefèvre-élysée", "given=lefevre", "name=zoet"):
        assert ehr.found(f"Patient?{mine}&{query}") == [], query


def test_the_type_level_search_needs_no_criteria(ehr: Caller) -> None:
    made = ehr.create(organization())
    assert made["id"] in [id for page in ehr.pages("Organization?_count=1000") for id in ids(page)]
