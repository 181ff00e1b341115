"""The query and the re-check speak of the same things: what a stored row tells is what the opened resource tells."""

from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.search.index import Indexed, class_tokens, code_tokens, index
from security.instance import classes, codings, data_period
from security.words import class_of
from tests.spec.consent import generate

randoms = st.randoms(use_true_random=False)
many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

RULE_CLASSES = {pair for coding in generate.CLASSES if (pair := class_of(coding))[0] and "|" not in pair[1]}
RULE_CODES = {(coding["system"], coding["code"]) for coding in generate.CODES if "system" in coding}
"""What a rule that is understood can ask for."""


def token(space: str, text: str) -> bytes:
    return f"{space} {text}".encode()


def row(resource: dict[str, Any]) -> Indexed:
    return index(resource, token=token, patient_token=str.encode)


@many
@given(randoms)
def test_a_row_tells_of_classes_and_codings_what_the_instance_tells(random: Random) -> None:
    """DESIGN 6: a disagreement of the two would be an error, never an answer."""
    resource = generate.resource(random)
    tokens = row(resource).k
    for pair in RULE_CLASSES:
        assert (not tokens.isdisjoint(class_tokens(*pair, token))) == (pair in classes(resource))
    for pair in RULE_CODES:
        assert (not tokens.isdisjoint(code_tokens(*pair, token))) == (pair in codings(resource))


@many
@given(randoms)
def test_a_row_is_dated_as_the_instance_is(random: Random) -> None:
    """Reading 7, by the elements of the type's `date` search parameter."""
    resource = generate.resource(random)
    found = row(resource)
    assert (found.start_us, found.end_us) == (data_period(resource) or (None, None))
