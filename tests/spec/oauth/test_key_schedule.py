"""When signing keys begin and end. OpenID Connect Core 10.1.1 (rotation), RFC 7517 section 5; times are ours (docs/adr/0030)."""

from functools import cache

import pytest

from security.oauth.access_token import ACCESS_TOKEN_LIFETIME_S, InvalidToken, issue, verify
from security.oauth.key_schedule import ANNOUNCED_S, DAY_US, HASTE_S, JWKS_MAX_AGE_S, VERIFYING_S, KeySchedule
from security.oauth.signing_keys import ALGORITHMS, SigningAlgorithm, SigningKey
from tests.spec.oauth.world import FHIR_BASE, ISSUER, NOW_US

S = 1_000_000
LEAD_US, KEPT_US = ANNOUNCED_S * S, VERIFYING_S * S


@cache
def key(kind: SigningAlgorithm, number: int) -> SigningKey:
    return SigningKey.generate(kind)


class Maker:
    """Keys in a known order, made once for all tests: RSA takes a while."""

    def __init__(self) -> None:
        self.made: list[SigningAlgorithm] = []

    def __call__(self, kind: SigningAlgorithm) -> SigningKey:
        self.made.append(kind)
        return key(kind, self.made.count(kind))


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def first(make: Maker) -> KeySchedule:
    return KeySchedule.first(make, NOW_US)


def kids(schedule: KeySchedule, now_us: int) -> set[str]:
    return {one["kid"] for one in schedule.at(now_us).jwks()["keys"]}


def states(schedule: KeySchedule, now_us: int) -> dict[str, str]:
    return {one.kid: one.state for one in schedule.standings(now_us)}


def test_the_first_keys_sign_at_once(first: KeySchedule) -> None:
    """One of each kind: ES256 for access tokens, RS256 for id_tokens."""
    keys = first.at(NOW_US)
    assert [one["alg"] for one in keys.jwks()["keys"]] == list(ALGORITHMS)
    assert (keys.current, keys.identity) == (key("ES256", 1), key("RS256", 1))


def test_whoever_caches_the_key_set_knows_a_key_before_anything_is_signed_with_it(first: KeySchedule, make: Maker) -> None:
    """RFC 7517: announced at least as long as the set may be kept, in every process's own time."""
    rotated = first.rotated(make, NOW_US)
    for kind in ALGORITHMS:
        assert key(kind, 2).kid in kids(rotated, NOW_US)
        assert states(rotated, NOW_US)[key(kind, 2).kid] == "announced"
    assert rotated.at(NOW_US + LEAD_US - 1).current is key("ES256", 1)
    assert rotated.at(NOW_US + LEAD_US).current is key("ES256", 2)
    assert rotated.at(NOW_US + LEAD_US).identity is key("RS256", 2)
    assert ANNOUNCED_S > JWKS_MAX_AGE_S


def test_a_token_signed_by_the_old_key_at_the_last_moment_is_good_until_it_expires(first: KeySchedule, make: Maker) -> None:
    """Rotation without an interruption."""
    rotated, last_us = first.rotated(make, NOW_US), NOW_US + LEAD_US - 1
    token = issue(
        key=rotated.at(last_us).current,
        issuer=ISSUER,
        audience=FHIR_BASE,
        client_id="client-1",
        scope="system/*.rs",
        purpose="TREAT",
        jti="t-1",
        now_us=last_us,
    )
    expires_us = last_us // S * S + ACCESS_TOKEN_LIFETIME_S * S
    for at_us in (last_us, NOW_US + LEAD_US, expires_us - 1):
        assert verify(token, keys=rotated.at(at_us), issuer=ISSUER, audience=FHIR_BASE, now_us=at_us).jti == "t-1"
    with pytest.raises(InvalidToken):
        verify(token, keys=rotated.at(expires_us), issuer=ISSUER, audience=FHIR_BASE, now_us=expires_us)


def test_an_old_key_goes_when_no_token_of_it_can_be_good_and_its_private_half_with_the_next_writing(
    first: KeySchedule, make: Maker
) -> None:
    """NIST SP 800-57: a key is destroyed when it is of no more use."""
    rotated, gone_us = first.rotated(make, NOW_US), NOW_US + LEAD_US + KEPT_US
    assert states(rotated, gone_us - 1)[key("ES256", 1).kid] == "verifying"
    assert states(rotated, gone_us)[key("ES256", 1).kid] == "gone"
    assert kids(rotated, gone_us) == {key("ES256", 2).kid, key("RS256", 2).kid}
    again = rotated.rotated(make, gone_us)
    assert key("ES256", 1) not in [one.key for one in again.keys]


def test_rotating_again_while_successors_wait_changes_nothing(first: KeySchedule, make: Maker) -> None:
    """A command repeated, or two of them, leave one successor."""
    rotated = first.rotated(make, NOW_US)
    with pytest.raises(ValueError, match="announced already"):
        rotated.rotated(make, NOW_US + S)


def test_haste_brings_a_waiting_successor_forward(first: KeySchedule, make: Maker) -> None:
    """hub keys rotate signing --now: the key that is announced is not left unused."""
    hasty = first.rotated(make, NOW_US).rotated(make, NOW_US + S, HASTE_S)
    assert hasty.at(NOW_US + S + HASTE_S * S).current is key("ES256", 2)
    assert len(hasty.keys) == 4


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_a_withdrawn_key_verifies_nothing_and_another_signs_at_once(first: KeySchedule, make: Maker, kind: SigningAlgorithm) -> None:
    """A key that leaked ends at once."""
    after = first.withdrawn(key(kind, 1).kid, make, NOW_US + S)
    keys = after.at(NOW_US + S)
    assert keys.verifying(key(kind, 1).kid, kind) is None
    assert keys.verifying(key(kind, 2).kid, kind) is not None
    assert keys.withdrawals == first.at(NOW_US).withdrawals + 1
    assert len(after.keys) == 2


def test_a_waiting_successor_takes_the_place_of_a_withdrawn_key(first: KeySchedule, make: Maker) -> None:
    """Others know it already."""
    after = first.rotated(make, NOW_US).withdrawn(key("ES256", 1).kid, make, NOW_US + S)
    assert after.at(NOW_US + S).current is key("ES256", 2)


def test_a_key_that_only_waits_or_verifies_is_withdrawn_without_a_successor(first: KeySchedule, make: Maker) -> None:
    """Nothing has to sign in its place."""
    rotated = first.rotated(make, NOW_US)
    assert rotated.withdrawn(key("ES256", 2).kid, make, NOW_US + S).at(NOW_US + LEAD_US).current is key("ES256", 1)
    later_us = NOW_US + LEAD_US
    assert rotated.withdrawn(key("ES256", 1).kid, make, later_us).at(later_us).current is key("ES256", 2)


def test_what_is_no_key_of_ours_cannot_be_withdrawn(first: KeySchedule, make: Maker) -> None:
    """Ours: a typing error must not look like a success."""
    with pytest.raises(ValueError, match="no such"):
        first.withdrawn("unknown", make, NOW_US)


def test_the_schedule_announces_in_time_for_the_period(first: KeySchedule, make: Maker) -> None:
    """HUB_SIGNING_KEY_DAYS: the successor signs when the period ends, and is due once."""
    due_us = NOW_US + 30 * DAY_US - LEAD_US
    assert not first.is_due(due_us - 1, 30)
    assert first.is_due(due_us, 30)
    rotated = first.rotated(make, due_us)
    assert not rotated.is_due(due_us, 30)
    assert rotated.at(NOW_US + 30 * DAY_US).current is key("ES256", 2)


def test_a_schedule_survives_its_document(first: KeySchedule, make: Maker) -> None:
    """What is sealed and opened again is the same."""
    rotated = first.rotated(make, NOW_US).withdrawn(key("ES256", 1).kid, make, NOW_US + S)
    again = KeySchedule.from_document(rotated.to_document())
    assert again.standings(NOW_US + S) == rotated.standings(NOW_US + S)
    assert again.at(NOW_US + S).jwks() == rotated.at(NOW_US + S).jwks()
    assert again.withdrawals == 1


def test_no_text_form_shows_a_private_key(first: KeySchedule) -> None:
    """Law 4: nothing of a private key reaches a log."""
    assert "PRIVATE" not in repr(first)
    assert "pem" not in repr(first)
