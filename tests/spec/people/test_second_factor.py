"""Codes of an authenticator app and recovery codes. RFC 6238; NIST SP 800-63B-4 sections 3.1.2, 3.1.4."""

from base64 import b32encode
from urllib.parse import parse_qs, urlsplit

import pytest

from security.people.recovery import CODES, kept_of, left_after, new_codes
from security.people.totp import STEP_S, code_of, step_of, step_proved, uri_of

SECRET = b32encode(b"12345678901234567890").decode()
"""Of RFC 6238 appendix B."""
NOW_US = 1_111_111_109_000_000


@pytest.mark.parametrize(
    ("at_s", "eight"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_codes_are_those_of_the_rfc(at_s: int, eight: str) -> None:
    """RFC 6238 appendix B, SHA-1; six digits are the last six of eight (RFC 4226 section 5.3)."""
    assert code_of(SECRET, step_of(at_s * 1_000_000)) == eight[-6:]


@pytest.mark.parametrize(("away", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(away: int, good: bool) -> None:
    """RFC 6238 section 5.2."""
    step = step_of(NOW_US) + away
    assert step_proved(SECRET, code_of(SECRET, step), NOW_US, 0) == (step if good else None)


def test_a_step_is_used_once_and_none_before_it_afterwards() -> None:
    """RFC 6238 section 5.2: the verifier must not accept the second attempt."""
    now = step_of(NOW_US)
    assert step_proved(SECRET, code_of(SECRET, now), NOW_US, now) is None
    assert step_proved(SECRET, code_of(SECRET, now - 1), NOW_US, now) is None
    assert step_proved(SECRET, code_of(SECRET, now + 1), NOW_US, now) == now + 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert step_proved(SECRET, code, NOW_US, 0) is None


def test_a_code_may_be_typed_with_the_space_that_apps_show() -> None:
    code = code_of(SECRET, step_of(NOW_US))
    assert step_proved(SECRET, f"{code[:3]} {code[3:]}", NOW_US, 0) == step_of(NOW_US)


def test_the_picture_says_what_apps_need() -> None:
    """https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
    parts = urlsplit(uri_of(SECRET, "HDS hub", "a:b?c@example.org"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/HDS%20hub:a%3Ab%3Fc@example.org")
    given = {name: value for name, (value,) in parse_qs(parts.query).items()}
    assert given == {"secret": SECRET, "issuer": "HDS hub", "algorithm": "SHA1", "digits": "6", "period": str(STEP_S)}


def test_a_recovery_code_is_good_once_however_it_is_typed() -> None:
    """SP 800-63B-4 section 3.1.2: a look-up secret is used once."""
    made = iter(range(256))
    codes = new_codes(lambda size: bytes(next(made) for _ in range(size)))
    kept = kept_of(codes)
    assert len(set(kept)) == CODES
    assert not set(codes) & set(kept)
    left = left_after(kept, f" {codes[3].upper().replace('-', ' ').replace('0', 'O')}")
    assert left == (*kept[:3], *kept[4:])
    assert left_after(left, codes[3]) is None
