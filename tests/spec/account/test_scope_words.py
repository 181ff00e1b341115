"""What scopes mean to people. SMART App Launch 2.2, scopes-and-launch-context; GDPR Art. 7(2): in clear and plain language."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.catalogue import CATEGORIES as MEASURED
from fhir_profiles.catalogue import MEASURES
from hub.account.scope_lines import Line, fields, granted, sections, words
from hub.account.scope_words import CATEGORIES, CONTEXTS, EVERYTHING, KINDS, LETTERS_OF, PARAMETERS, TYPES, VERBS, WHOSE
from hub.console.words import LANGUAGES, Language, Said, in_language
from security.oauth.person import ROLES
from security.oauth.scope_request import ScopeRequest
from security.scopes import CONTEXT_SCOPES, LETTERS, R4_TYPES, Scopes

OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"
SAID: list[Said] = [
    EVERYTHING,
    *(kind.words for kind in KINDS.values()),
    *CATEGORIES.values(),
    *PARAMETERS.values(),
    *CONTEXTS.values(),
    *VERBS.values(),
    *(said for by_role in WHOSE.values() for said in by_role.values()),
]


def lines(text: str, language: Language = "en") -> list[Line]:
    asked = ScopeRequest.parse(text)
    data = [line for section in sections(asked, "patient", language) for group in section.groups for line in group.lines]
    return [*data, *words(asked, language)]


def test_every_type_of_r4_is_in_one_row() -> None:
    """scopes-and-launch-context: a scope may name any of them."""
    named = [type for types, _ in TYPES for type in types.split()]
    assert sorted(named) == sorted(R4_TYPES | {"OperationOutcome"} & set(named))
    assert set(named) >= R4_TYPES


def test_every_letter_every_word_and_every_level_has_words() -> None:
    """scopes-and-launch-context: nothing that can be asked for is shown without words, or left out."""
    assert frozenset().union(*LETTERS_OF.values()) == set(LETTERS)
    assert sum(len(letters) for letters in LETTERS_OF.values()) == len(LETTERS)
    assert set(LETTERS_OF) == set(VERBS)
    assert set(CONTEXTS) == CONTEXT_SCOPES
    assert set(WHOSE) == {"patient", "user", "system"}
    assert all(set(by_role) == set(ROLES) for by_role in WHOSE.values())


def test_every_category_that_the_hub_measures_has_words() -> None:
    """observation-category: those of the catalogue."""
    used = {measure.category for measure in MEASURES.values() if measure.category}
    assert used <= {code for _, system, code in CATEGORIES if system == OBSERVATION}
    assert used <= set(MEASURED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_is_said_in_both_languages(language: Language) -> None:
    """WCAG 2.2, 3.1.1: the page is in the language it says."""
    texts = [in_language(language, one) for one in SAID]
    assert all(text.strip() for text in texts)
    other: Language = "fr" if language == "en" else "en"
    same = {one.en for one in SAID if one.en == one.fr}
    assert same <= {"vaccinations"}, f"not translated to {other}"


def test_a_scope_is_a_line_for_each_thing_that_would_be_done() -> None:
    """v2: c, r, u, d and s; to read one and to search are one thing to people."""
    asked = ScopeRequest.parse("patient/Observation.cruds")
    (section,) = sections(asked, "patient", "en")
    assert section.title == "About you"
    assert [group.title for group in section.groups] == ["Read", "Add", "Change", "Delete"]
    assert len(fields(asked)) == 4


def test_version_1_is_shown_as_what_it_gives() -> None:
    """v1: read is rs, write is cud."""
    assert lines("patient/Condition.read") == lines("patient/Condition.rs")
    assert len(lines("patient/Condition.write")) == 3


@pytest.mark.parametrize(("language", "beginning"), [("en", "Everything"), ("fr", "Tout")])
def test_everything_is_called_everything(language: Language, beginning: str) -> None:
    """A wildcard is no kind of data among others."""
    (line,) = lines("patient/*.rs", language)
    assert line.everything
    assert line.what.startswith(beginning)


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        (f"patient/Observation.rs?category={OBSERVATION}|vital-signs", "vital signs"),
        ("patient/Observation.rs?category=laboratory", "laboratory results"),
        (f"patient/Observation.rs?category={OBSERVATION}|activity,{OBSERVATION}|vital-signs", "activity: steps, effort, sleep; vital"),
        ("patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis", "diagnoses"),
    ],
)
def test_a_granular_scope_is_its_category(scope: str, what: str) -> None:
    """Finer-grained resource constraints using search parameters."""
    (line,) = lines(scope)
    assert line.what.startswith(what)
    assert line.only == ()


def test_a_category_of_another_system_is_not_taken_for_ours() -> None:
    (line,) = lines("patient/Observation.rs?category=http://example.org/mine|vital-signs")
    assert line.only == ("only where the category is http://example.org/mine|vital-signs",)


def test_a_code_of_the_catalogue_is_called_by_its_name() -> None:
    (line,) = lines("patient/Observation.rs?code=http://loinc.org|8867-4")
    assert line.only == ("only Heart rate",)


def test_what_has_no_words_is_shown_as_it_is() -> None:
    """Nothing that narrows is left out, or the line would promise less than is given, or more."""
    (line,) = lines("patient/Observation.rs?combo-code=x&category=laboratory&status=final")
    assert line.what.startswith("laboratory")
    assert line.only == ("only where combo-code is x", "only where the state is final")


def test_where_types_share_words_the_type_is_named() -> None:
    assert [line.technical for line in lines("patient/Goal.rs patient/Condition.rs")] == ["", "Goal"]


def test_only_the_absence_of_the_person_can_be_refused_among_the_words() -> None:
    """openid and launch are what the app begins with."""
    found = {line.field: line.optional for line in lines("openid fhirUser launch/patient offline_access patient/Patient.r")}
    assert found == {"read.0": True, "openid": False, "fhirUser": False, "launch/patient": False, "offline_access": True}


def test_all_ticked_is_all_that_was_asked_for() -> None:
    asked = ScopeRequest.parse("openid offline_access patient/Observation.cruds?category=laboratory user/Patient.rs")
    assert granted(asked, fields(asked)) == asked


def test_what_is_unticked_is_not_granted() -> None:
    """RFC 6749 section 3.3: less than was asked for may be granted."""
    asked = ScopeRequest.parse("openid offline_access patient/Observation.cruds patient/Patient.rs")
    left = granted(asked, fields(asked) - {"delete.0", "change.0", "offline_access", "read.1"})
    assert left.text() == "openid patient/Observation.crs"


def test_nothing_ticked_is_no_data() -> None:
    asked = ScopeRequest.parse("openid patient/Observation.rs")
    assert granted(asked, frozenset()) == ScopeRequest(Scopes(), frozenset({"openid"}))


TOKENS = st.builds(
    lambda level, name, letters, query: f"{level}/{name}.{letters}{query}",
    st.sampled_from(["patient", "user"]),
    st.sampled_from(["*", "Observation", "Patient", "Device", "AuditEvent"]),
    st.sets(st.sampled_from(LETTERS), min_size=1).map(lambda found: "".join(one for one in LETTERS if one in found)),
    st.sampled_from(["", "?category=laboratory", "?status=final"]),
).filter(lambda text: "AuditEvent" not in text or set(text.partition(".")[2].partition("?")[0]) & set("rs"))
TICKS = st.sets(st.sampled_from([f"{verb}.{place}" for verb, place in product([*VERBS, "all", "read.0"], range(-1, 8))]))


@given(st.lists(TOKENS, min_size=1, max_size=6), TICKS)
def test_no_form_makes_more_of_a_request(tokens: list[str], ticked: set[str]) -> None:
    """RFC 6749 section 3.3: whatever comes back, what is granted lies inside what was asked for."""
    asked = ScopeRequest.parse(" ".join(tokens))
    left = granted(asked, ticked)
    assert left.within(asked) == left
    assert not left.resources.items or ScopeRequest.parse(left.text()).resources.within(asked.resources).items
