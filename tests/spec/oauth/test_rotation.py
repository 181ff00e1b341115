"""Keys of a client changed beside each other: at no moment is none good, and what has ended does not come back.

DEVICES 6.5, rotation with overlap and revocation; https://www.rfc-editor.org/rfc/rfc7517#section-5
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.oauth.clients import Client, new_client_keys
from security.oauth.jwks import KEYS_MAX
from security.oauth.rotation import keys_of, retired, rotated, with_keys

KEYS = [new_client_keys()[1]["keys"][0] for _ in range(4)]
NOW, HOUR = 1_000_000, 3_600_000_000


def kid(number: int) -> str:
    return str(KEYS[number]["kid"])


def jwks(*numbers: int) -> dict[str, object]:
    return {"keys": [KEYS[number] for number in numbers]}


def client(*numbers: int) -> Client:
    return Client(
        client_id="c",
        name="c",
        scopes="system/Observation.c",
        organization="Organization/o",
        purpose="TREAT",
        consent_default="opt-in",
        recorder=False,
        importer=False,
        jwks=jwks(*numbers),
        jwks_uri=None,
        created_us=0,
    )


def good(one: Client, now: int) -> set[str]:
    found = one.good_jwks(now)
    assert found is not None
    kids = {str(key["kid"]) for key in found["keys"]}
    assert kids == {kid(number) for number in range(len(KEYS)) if one.holds(kid(number), now)}
    return kids


def test_both_are_good_until_the_old_one_ends_and_then_the_new_one_alone() -> None:
    made = rotated(client(0), jwks(1), NOW + HOUR, NOW)
    assert good(made, NOW) == good(made, NOW + HOUR - 1) == {kid(0), kid(1)}
    assert good(made, NOW + HOUR) == {kid(1)}
    assert [one["until_us"] for one in keys_of(made)] == [NOW + HOUR, None]


def test_a_key_that_was_taken_away_is_good_no_more() -> None:
    made = retired(client(0, 1), kid(0), NOW, NOW)
    assert good(made, NOW) == {kid(1)}


def test_an_end_is_only_ever_brought_forward() -> None:
    made = rotated(client(0), jwks(1), NOW + HOUR, NOW)
    assert good(retired(made, kid(0), NOW + 2 * HOUR, NOW), NOW + HOUR) == {kid(1)}
    assert good(retired(made, kid(0), NOW, NOW), NOW) == {kid(1)}


@pytest.mark.parametrize("number", [0, 1])
def test_the_last_key_that_goes_on_is_not_retired(number: int) -> None:
    made = rotated(client(0), jwks(1), NOW + HOUR, NOW)
    if number == 1:
        with pytest.raises(ValueError, match="only key that goes on"):
            retired(made, kid(1), NOW, NOW)
    else:
        with pytest.raises(ValueError, match="only key that goes on"):
            retired(client(0), kid(0), NOW, NOW)


def test_what_has_ended_does_not_come_back() -> None:
    """Whoever has the private half of an old key may have it registered again by nobody."""
    made = with_keys(rotated(client(0), jwks(1), NOW, NOW), jwks(2), NOW + 1)
    assert {one["kid"] for one in keys_of(made)} == {kid(1), kid(2)}
    with pytest.raises(ValueError, match="does not come back"):
        with_keys(made, jwks(0), NOW + 2)
    assert good(made, NOW + 3) == {kid(1), kid(2)}


def test_a_registration_of_before_there_were_ends_is_read() -> None:
    document = client(0).to_document()
    for name in ("key_ends", "unit", "signs", "revision", "confirmer"):
        del document[name]
    assert Client.from_document(document) == client(0)


def test_a_registration_comes_back_from_the_store_as_it_was() -> None:
    made = rotated(client(0), jwks(1), NOW + HOUR, NOW)
    assert Client.from_document({"_id": "c", **made.to_document()}) == made


def test_keys_at_a_url_are_changed_there() -> None:
    there = replace(client(0), jwks=None, jwks_uri="https://vendor.example/jwks")
    with pytest.raises(ValueError, match="its own URL"):
        with_keys(there, jwks(1), NOW)
    assert there.good_jwks(NOW) is None


def test_private_and_too_many_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="private"):
        with_keys(client(0), {"keys": [{**KEYS[1], "d": "x"}]}, NOW)
    full = replace(client(0), jwks={"keys": [{**KEYS[0], "kid": str(n)} for n in range(KEYS_MAX)]})
    with pytest.raises(ValueError, match="at most"):
        with_keys(full, jwks(1), NOW)


@given(acts=st.lists(st.tuples(st.sampled_from(["add", "retire", "rotate"]), st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_whatever_is_done_in_whatever_order_a_key_is_good_and_ended_ones_stay_ended(acts: list[tuple[str, int, int]]) -> None:
    one, now, ended = client(0), NOW, set[str]()
    for act, number, after in acts:
        now += 1
        before = good(one, now)
        try:
            if act == "add":
                one = with_keys(one, jwks(number), now)
            elif act == "retire":
                one = retired(one, kid(number), now + after, now)
            else:
                one = rotated(one, jwks(number), now + after, now)
        except ValueError:
            continue
        assert good(one, now)
        ended |= before - good(one, now)
        assert not ended & good(one, now)
        assert any(key["until_us"] is None for key in keys_of(one))
