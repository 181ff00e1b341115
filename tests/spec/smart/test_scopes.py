"""SMART App Launch 2.2, scopes: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html"""

import pytest

from security.scopes import R4_TYPES, SCOPES_MAX, SCOPES_WITH_QUERY_MAX, Scope, Scopes, ScopeSyntax, narrow

CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
VITAL_SIGNS = (("category", f"{CATEGORY}|vital-signs"),)
LABORATORY = (("category", f"{CATEGORY}|laboratory"),)


def scope(resource_type: str, letters: str, *query: tuple[str, str]) -> Scope:
    return Scope("system", resource_type, frozenset(letters), query)


@pytest.mark.parametrize("letters", ["c", "r", "u", "d", "s", "cr", "rs", "cud", "cruds", "us", "ds"])
def test_any_choice_of_letters_in_order_is_a_permission(letters: str) -> None:
    """Scopes v2: one or more of c, r, u, d, s."""
    assert Scopes.parse(f"system/Observation.{letters}").items == (scope("Observation", letters),)


@pytest.mark.parametrize("access", ["sr", "rc", "rr", "crudsx", "x", "", "CRUDS", "reads", "readd", "**", "r s"])
def test_anything_else_in_place_of_the_letters_is_refused(access: str) -> None:
    """Scopes v2: the order of the letters is fixed, none comes twice."""
    with pytest.raises(ScopeSyntax):
        Scopes.parse(f"system/Observation.{access}")


@pytest.mark.parametrize(("v1", "v2"), [("read", "rs"), ("write", "cud"), ("*", "cruds")])
@pytest.mark.parametrize("resource_type", ["Observation", "*"])
def test_version_1_permissions_mean_what_the_guide_says(resource_type: str, v1: str, v2: str) -> None:
    """Scopes for requesting FHIR resources, section on v1: read = rs, write = cud, * = cruds; never letter by letter."""
    assert Scopes.parse(f"system/{resource_type}.{v1}") == Scopes.parse(f"system/{resource_type}.{v2}")


@pytest.mark.parametrize("level", ["patient", "user", "system"])
def test_each_level_is_understood_and_kept_apart(level: str) -> None:
    """Scopes v2: patient, user or system before the slash."""
    scopes = Scopes.parse(f"{level}/Observation.rs")
    assert scopes.items[0].level == level
    assert bool(scopes.covering("Observation", "r")) == (level == "system")


def test_a_scope_may_carry_search_parameters() -> None:
    """Finer-grained resource constraints using search parameters."""
    scopes = Scopes.parse(f"system/Observation.rs?category={CATEGORY}|vital-signs")
    assert scopes.items == (scope("Observation", "rs", *VITAL_SIGNS),)


def test_several_parameters_of_one_scope_are_kept_all_of_them() -> None:
    """Search parameters in one scope narrow together, as in a FHIR search."""
    scopes = Scopes.parse("system/Observation.rs?status=final&category=vital-signs&category=survey")
    assert scopes.items[0].query == (("category", "survey"), ("category", "vital-signs"), ("status", "final"))


@pytest.mark.parametrize(
    ("written", "meant"), [("a%20b", "a b"), ("a%7Cb", "a|b"), ("a+b", "a+b"), ("%C3%A9", "é"), ("a=b", "a=b"), ("%25", "%")]
)
def test_values_are_percent_decoded_and_written_back(written: str, meant: str) -> None:
    """RFC 6749 section 3.3 leaves the scope few characters; the rest comes percent-encoded (RFC 3986)."""
    scopes = Scopes.parse(f"system/Observation.rs?code={written}")
    assert scopes.items[0].query == (("code", meant),)
    assert Scopes.parse(scopes.text()) == scopes


@pytest.mark.parametrize(
    "query",
    [
        "code:not=x",
        "code%3Anot=x",
        "subject:Patient.name=x",
        "patient.name=x",
        "_has:Group:member:_id=x",
        "_filter=x",
        "_count=1",
        "_include=Observation:subject",
        "_elements=id",
        "_sort=date",
        "_query=x",
        "code=",
        "code",
        "=x",
        "",
        "code=x&",
        "&code=x",
        "code=%zz",
        "code=%",
        "code=%ff",
        "code=a%00b",
        "code=a%0Ab",
    ],
)
def test_a_scope_query_takes_plain_search_parameters_only(query: str) -> None:
    """Modifiers, chains, _filter are experimental in SMART 2.2; result parameters do not select. We refuse them all."""
    with pytest.raises(ScopeSyntax):
        Scopes.parse(f"system/Observation.rs?{query}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "system/Observation",
        "system/Observation.",
        "system/.rs",
        "/Observation.rs",
        "system/Observations.rs",
        "system/observation.rs",
        "system/Resource.rs",
        "system/DomainResource.rs",
        "system/DeviceAssociation.rs",
        "admin/Observation.rs",
        "System/Observation.rs",
        "system:Observation.rs",
        "system/Observation.rs system/Observation",
        "system/Observation.rs  system/Patient.rs",
        " system/Observation.rs",
        "system/Observation.rs\n",
        "system/Observation.rs\tsystem/Patient.rs",
        'system/Observation.rs?code="x"',
        "system/Observation.rs?code=a\\b",
        "system/Observation.rs?code=é",
        "system/Observation.read?code=x",
        "system/*.*.rs",
        "**/*.rs",
    ],
)
def test_what_the_grammar_does_not_know_is_refused_as_a_whole(text: str) -> None:
    """RFC 6749 section 5.2 invalid_scope: malformed. A bad scope beside good ones is not skipped."""
    with pytest.raises(ScopeSyntax) as refusal:
        Scopes.parse(text)
    assert refusal.value.error == "invalid_scope"


@pytest.mark.parametrize("text", ["openid", "fhirUser", "launch", "launch/patient", "offline_access", "system/Patient.rs openid"])
def test_scopes_about_a_persons_session_are_refused_by_name(text: str) -> None:
    """SMART Backend Services: no user is present, hence neither launch context nor identity."""
    with pytest.raises(ScopeSyntax, match="person's session"):
        Scopes.parse(text)


@pytest.mark.parametrize("text", ["system/Secret9.rs", "system/Observation.secret", "secret", "system/Observation.rs?secret:x=y"])
def test_a_refusal_repeats_nothing_of_the_request_and_fits_an_error_description(text: str) -> None:
    """RFC 6749 section 5.2: error_description has neither quote nor backslash nor anything beyond ASCII."""
    with pytest.raises(ScopeSyntax) as refusal:
        Scopes.parse(text)
    said = str(refusal.value)
    assert "ecret" not in said
    assert said.isascii()
    assert not set(said) & {'"', "\\"}


def test_the_types_are_those_of_r4() -> None:
    """https://hl7.org/fhir/R4/valueset-resource-types.html less its two abstract types."""
    assert len(R4_TYPES) == 146


@pytest.mark.parametrize("resource_type", sorted(R4_TYPES - {"AuditEvent"}))
def test_a_wildcard_covers_every_type_but_the_log(resource_type: str) -> None:
    """Scopes v2, wildcard."""
    assert Scopes.parse("system/*.rs").covering(resource_type, "r")


@pytest.mark.parametrize("text", ["system/*.cruds", "system/*.*", "system/*.rs?_lastUpdated=ge2026"])
def test_no_wildcard_covers_the_log(text: str) -> None:
    """Law 1 of the design: AuditEvent is governed by policy, and no wildcard scope covers it."""
    assert Scopes.parse(text).covering("AuditEvent", "r") == ()


def test_a_scope_that_names_the_log_covers_reading_and_searching_it() -> None:
    """Law 1 of the design; law 2 makes the hub the only writer."""
    scopes = Scopes.parse("system/AuditEvent.cruds")
    assert [letter for letter in "cruds" if scopes.covering("AuditEvent", letter)] == ["r", "s"]
    assert scopes.text() == "system/AuditEvent.rs"


def test_a_scope_that_would_only_write_the_log_is_refused() -> None:
    """Law 2 of the design."""
    with pytest.raises(ScopeSyntax):
        Scopes.parse("system/AuditEvent.cud")


def test_covering_gives_each_scope_that_allows_with_its_query() -> None:
    """Each scope allows by itself, under its own constraint; together they are a union."""
    scopes = Scopes.parse("system/Observation.rs?category=vital-signs system/*.r?_tag=x system/Patient.rs")
    assert {item.query for item in scopes.covering("Observation", "r")} == {(("category", "vital-signs"),), (("_tag", "x"),)}
    assert {item.query for item in scopes.covering("Observation", "s")} == {(("category", "vital-signs"),)}
    assert scopes.covering("Observation", "u") == ()


def test_no_scope_covers_nothing() -> None:
    """Silence means no."""
    assert Scopes().covering("Observation", "r") == ()


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("system/Observation.r system/Observation.s", "system/Observation.rs"),
        ("system/Patient.rs system/Observation.rs", "system/Observation.rs system/Patient.rs"),
        ("system/*.rs system/Observation.cruds", "system/*.rs system/Observation.cud"),
        ("system/*.rs system/AuditEvent.rs", "system/*.rs system/AuditEvent.rs"),
        ("system/Observation.rs system/Observation.rs?code=x", "system/Observation.rs"),
        ("system/Observation.r system/Observation.rs?code=x", "system/Observation.r system/Observation.s?code=x"),
        ("system/Observation.rs?b=1&a=2", "system/Observation.rs?a=2&b=1"),
        ("patient/*.rs system/Patient.rs", "patient/*.rs system/Patient.rs"),
    ],
)
def test_one_set_of_permissions_has_one_text(written: str, canonical: str) -> None:
    """RFC 6749 section 3.3: order does not matter; what a wider scope gives need not be said twice."""
    assert Scopes.parse(written).text() == canonical


@pytest.mark.parametrize(
    ("requested", "registered", "granted"),
    [
        ("system/*.rs", "system/*.cruds", "system/*.rs"),
        ("system/*.cruds", "system/*.rs", "system/*.rs"),
        ("system/Observation.rs", "system/*.rs", "system/Observation.rs"),
        ("system/*.cruds", "system/Observation.rs system/Patient.r", "system/Observation.rs system/Patient.r"),
        ("system/Observation.cruds", "system/*.rs system/Observation.c", "system/Observation.crs"),
        ("system/*.cruds system/AuditEvent.rs", "system/*.cruds", "system/*.cruds"),
        ("system/*.cruds system/AuditEvent.rs", "system/*.rs system/AuditEvent.r", "system/*.rs system/AuditEvent.r"),
        ("system/Observation.rs", "system/Observation.rs?code=x", "system/Observation.rs?code=x"),
        ("system/Observation.rs?code=x", "system/Observation.rs", "system/Observation.rs?code=x"),
        ("system/Observation.rs?code=x", "system/Observation.rs?status=final", "system/Observation.rs?code=x&status=final"),
        (
            "system/Observation.rs",
            "system/Observation.rs?a=1 system/Observation.r?b=2",
            "system/Observation.rs?a=1 system/Observation.r?b=2",
        ),
        ("system/Patient.read", "system/*.*", "system/Patient.rs"),
        ("system/Patient.rs user/Patient.rs", "system/*.rs", "system/Patient.rs"),
    ],
)
def test_what_lies_inside_the_registration_is_granted(requested: str, registered: str, granted: str) -> None:
    """RFC 6749 section 3.3: the server may grant less than was asked and says what it granted."""
    assert narrow(Scopes.parse(requested), Scopes.parse(registered)).text() == granted


@pytest.mark.parametrize(
    ("requested", "registered"),
    [
        ("system/Patient.rs", "system/Observation.rs"),
        ("system/Patient.c", "system/Patient.rs"),
        ("patient/Patient.rs", "system/Patient.rs"),
        ("system/AuditEvent.rs", "system/*.cruds"),
        ("system/*.rs", "system/AuditEvent.rs"),
    ],
)
def test_a_request_wholly_outside_the_registration_is_refused(requested: str, registered: str) -> None:
    """RFC 6749 section 5.2 invalid_scope: exceeds what is granted."""
    with pytest.raises(ScopeSyntax, match="registered"):
        narrow(Scopes.parse(requested), Scopes.parse(registered))


def test_the_number_of_scopes_is_bounded() -> None:
    """Ours: a token travels in a header, and checking it takes time; both are bounded."""
    names = sorted(R4_TYPES)[: SCOPES_MAX + 1]
    assert len(Scopes.parse(" ".join(f"system/{name}.r" for name in names[:SCOPES_MAX])).items) == SCOPES_MAX
    with pytest.raises(ScopeSyntax, match="more than"):
        Scopes.parse(" ".join(f"system/{name}.r" for name in names))


def test_the_number_of_scopes_with_a_query_is_bounded_also_after_narrowing() -> None:
    """Ours: n requested queries meet m registered ones in n times m scopes; a token carries SCOPES_WITH_QUERY_MAX."""
    requested = Scopes.parse(" ".join(f"system/Observation.r?code={n}" for n in range(SCOPES_WITH_QUERY_MAX)))
    registered = Scopes.parse("system/Observation.r?status=final system/Observation.r?status=amended")
    assert len(requested.within(registered).items) == 2 * SCOPES_WITH_QUERY_MAX
    with pytest.raises(ScopeSyntax, match="more than"):
        narrow(requested, registered)


def test_a_long_scope_parameter_is_refused_before_it_is_read() -> None:
    """Ours: SCOPE_TEXT_MAX_CHARS."""
    with pytest.raises(ScopeSyntax, match="longer"):
        Scopes.parse("system/Observation.rs?code=" + "x" * 4_096)


def test_conformance_resources_are_written_only_with_a_scope_that_names_them() -> None:
    """What says how others have to read the data is no by-catch of a wildcard; to read it is."""
    everything = Scopes.parse("system/*.cruds")
    assert [letter for letter in "cruds" if everything.covering("StructureDefinition", letter)] == ["r", "s"]
    named = Scopes.parse("system/*.cruds system/StructureDefinition.cud")
    assert all(named.covering("StructureDefinition", letter) for letter in "cruds")
    assert Scopes.parse("system/StructureDefinition.cruds").within(everything).text() == "system/StructureDefinition.rs"
