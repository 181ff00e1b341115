"""What holds for every set of scopes: one text for one meaning, and a token is never wider than request or registration."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from security.scopes import LETTERS, R4_TYPES, Scopes, ScopeSyntax

TYPES = ("Observation", "Patient", "AuditEvent", "ValueSet")
UNIVERSE = (*TYPES, "Device")
"""One type that no generated scope names, so that a wildcard differs from all the named ones together."""
PARAMETERS = (("category", "x|y"), ("code", "a b+%"), ("_tag", "é"))
WORLDS = [frozenset(chosen) for size in range(len(PARAMETERS) + 1) for chosen in combinations(PARAMETERS, size)]
"""Resources, as far as scopes can tell them apart: by the parameters that they satisfy."""


def written(level: str, resource_type: str, letters: frozenset[str], query: frozenset[tuple[str, str]]) -> str:
    ordered = "".join(letter for letter in LETTERS if letter in letters)
    encoded = "&".join(f"{name}={''.join(f'%{byte:02x}' for byte in value.encode())}" for name, value in query)
    return f"{level}/{resource_type}.{ordered}" + (f"?{encoded}" if encoded else "")


def token(types: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.builds(
        written,
        st.sampled_from(["system", "system", "patient", "user"]),
        st.sampled_from(types),
        st.frozensets(st.sampled_from(LETTERS), min_size=1).map(lambda letters: letters | {"r"}),
        st.frozensets(st.sampled_from(PARAMETERS), max_size=2),
    )


def scopes(types: tuple[str, ...] = (*TYPES, "*")) -> st.SearchStrategy[Scopes]:
    return st.lists(token(types), min_size=1, max_size=5).map(" ".join).map(Scopes.parse)


def allowed(given_scopes: Scopes) -> frozenset[tuple[object, ...]]:
    """Everything these scopes allow, spelled out by the plainest reading of the guide."""
    return frozenset(
        (scope.level, resource_type, letter, world)
        for scope in given_scopes.items
        for resource_type in UNIVERSE
        for letter in scope.letters
        for world in WORLDS
        if scope.resource_type == resource_type
        or (scope.resource_type == "*" and resource_type != "AuditEvent" and (resource_type != "ValueSet" or letter in "rs"))
        if world.issuperset(scope.query)
    )


@given(scopes((*sorted(R4_TYPES), "*")))
def test_a_set_of_scopes_survives_its_own_text(some: Scopes) -> None:
    """RFC 6749 section 3.3: the scope member of the answer is read back by the client and by us."""
    assert Scopes.parse(some.text()) == some


@given(scopes(), scopes())
def test_sets_that_allow_the_same_are_equal(one: Scopes, other: Scopes) -> None:
    """Canonical form: equality of values is equality of permissions."""
    assert (allowed(one) == allowed(other)) == (one == other)


@given(st.lists(token((*TYPES, "*")), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(tokens: list[str], random: object) -> None:
    """RFC 6749 section 3.3: the order of the strings does not matter."""
    shuffled = [*tokens, tokens[0]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Scopes.parse(" ".join(shuffled)) == Scopes.parse(" ".join(tokens))


@given(scopes(), scopes())
def test_a_token_allows_exactly_what_both_request_and_registration_allow(requested: Scopes, registered: Scopes) -> None:
    """RFC 6749 section 3.3: never wider than asked, never wider than registered."""
    assert allowed(requested.within(registered)) == allowed(requested) & allowed(registered)


@given(scopes(), scopes())
def test_narrowing_twice_changes_nothing(requested: Scopes, registered: Scopes) -> None:
    """RFC 6749 section 3.3: what was granted can be asked for again and is granted as it is."""
    once = requested.within(registered)
    assert once.within(registered) == once
    assert once.within(requested) == once


@given(scopes(), scopes(), scopes())
def test_who_asks_for_more_gets_no_less(requested: Scopes, more: Scopes, registered: Scopes) -> None:
    """Narrowing is monotone in the request and in the registration."""
    wider = Scopes.parse(f"{requested.text()} {more.text()}")
    assert allowed(requested.within(registered)) <= allowed(wider.within(registered))
    assert allowed(registered.within(requested)) <= allowed(registered.within(wider))


@given(scopes(), st.sampled_from(UNIVERSE), st.sampled_from(LETTERS))
def test_covering_says_the_same_as_the_plain_reading(some: Scopes, resource_type: str, letter: str) -> None:
    """A resource may be touched when one of the covering scopes has all its parameters satisfied."""
    covering = some.covering(resource_type, letter)
    for world in WORLDS:
        touched = any(world.issuperset(scope.query) for scope in covering)
        assert touched == (("system", resource_type, letter, world) in allowed(some))


@given(st.text(max_size=60) | st.text(alphabet="system/*.crudpatien?=&%|: Observation", max_size=60))
def test_any_text_is_either_parsed_or_refused_with_invalid_scope(text: str) -> None:
    """RFC 6749 section 5.2."""
    try:
        parsed = Scopes.parse(text)
    except ScopeSyntax:
        return
    assert Scopes.parse(parsed.text()) == parsed
