"""Signatures of webhooks, against the specifications' own vectors and against everything that may be wrong.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md; RFC 7515 appendix F.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from security.oauth.clients import new_client_keys
from security.oauth.jwks import private_key
from security.webhooks import Signed, new_secret, signature, signed_by_key, signed_by_secret

NOW_S = 1_750_000_000
NOW_US = NOW_S * 1_000_000
BODY = b'{"test": 2432232314}'
SECRET, OTHER = new_secret(b"\x01" * 32), new_secret(b"\x02" * 32)
PEM, JWKS = new_client_keys()
KID = JWKS["keys"][0]["kid"]


def signed(secret: str = SECRET, id: str = "msg_1", timestamp: str = str(NOW_S), body: bytes = BODY) -> Mapping[str, str]:
    return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature(secret, id, timestamp, body)}


def token(body: bytes = BODY, pem: bytes = PEM, **header: object) -> str:
    key, algorithm = private_key(pem)
    named = {"alg": algorithm, "kid": KID, "iat": NOW_S, "jti": "msg_1", **header}
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jws.detach_content(
        jws.serialize_compact({name: value for name, value in named.items() if value is not None}, body, key, registry=registry)
    )


def test_the_vector_of_the_specifications_libraries() -> None:
    """The example in the tests of standard-webhooks' libraries: secret, id, time and body give this signature."""
    made = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", BODY)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_is_an_hmac_over_id_time_and_body() -> None:
    made = hmac.new(b"\x01" * 32, b"msg_1.1750000000." + BODY, hashlib.sha256).digest()
    assert signed()["webhook-signature"] == "v1," + base64.b64encode(made).decode()


def test_a_good_signature_says_what_it_covers() -> None:
    assert signed_by_secret(signed(), BODY, [SECRET], NOW_US) == Signed(id="msg_1", timestamp=str(NOW_S))
    assert signed_by_key(token(), BODY, JWKS, NOW_US) == Signed(id="msg_1", timestamp=str(NOW_S))


def test_during_a_change_both_secrets_are_good_and_a_sender_may_send_both_signatures() -> None:
    assert signed_by_secret(signed(OTHER), BODY, [SECRET, OTHER], NOW_US)
    both = {**signed(), "webhook-signature": f"{signed(OTHER)['webhook-signature']} {signed()['webhook-signature']}"}
    assert signed_by_secret(both, BODY, [SECRET], NOW_US)


@pytest.mark.parametrize(
    ("headers", "body", "secrets"),
    [
        (signed(OTHER), BODY, [SECRET]),
        (signed(), BODY + b" ", [SECRET]),
        ({**signed(), "webhook-id": "msg_2"}, BODY, [SECRET]),
        ({**signed(), "webhook-timestamp": str(NOW_S + 1)}, BODY, [SECRET]),
        (signed(), BODY, []),
        (signed(id=""), BODY, [SECRET]),
        (signed(id="x" * 257), BODY, [SECRET]),
        (signed(timestamp="now"), BODY, [SECRET]),
        (signed(timestamp="-1"), BODY, [SECRET]),
        (signed(timestamp="9" * 30), BODY, [SECRET]),
        ({**signed(), "webhook-signature": ""}, BODY, [SECRET]),
        ({}, BODY, [SECRET]),
    ],
)
def test_whatever_is_wrong_the_answer_is_nothing(headers: Mapping[str, str], body: bytes, secrets: list[str]) -> None:
    assert signed_by_secret(headers, body, secrets, NOW_US) is None


@pytest.mark.parametrize(("late_s", "good"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_the_time_has_to_be_within_five_minutes(late_s: int, *, good: bool) -> None:
    now_us = NOW_US + late_s * 1_000_000
    assert (signed_by_secret(signed(), BODY, [SECRET], now_us) is not None) is good
    assert (signed_by_key(token(), BODY, JWKS, now_us) is not None) is good


@pytest.mark.parametrize(
    ("proof", "body"),
    [
        (token(), BODY + b" "),
        (token(kid="other"), BODY),
        (token(kid=None), BODY),
        (token(jti=None), BODY),
        (token(iat=None), BODY),
        (token(pem=new_client_keys()[0]), BODY),
        (token(jwk={"kty": "EC"}), BODY),
        (token().replace("..", f".{base64.urlsafe_b64encode(BODY).decode().rstrip('=')}."), BODY),
        ("", BODY),
        ("..", BODY),
        ("a.b.c", BODY),
        ("eyJhbGciOiJub25lIn0..", BODY),
        ("x" * 5_000, BODY),
    ],
)
def test_the_same_of_a_signature_by_a_key(proof: str, body: bytes) -> None:
    """RFC 8725: the algorithm is ours to choose, a key that is brought along is not looked at."""
    assert signed_by_key(proof, body, JWKS, NOW_US) is None


@given(st.binary(max_size=200), st.text(max_size=100), st.text(max_size=50))
def test_nothing_that_was_not_signed_passes_and_nothing_breaks(body: bytes, text: str, other: str) -> None:
    headers = {"webhook-id": text, "webhook-timestamp": other, "webhook-signature": text + " " + other}
    assert signed_by_secret(headers, body, [SECRET], NOW_US) is None
    assert signed_by_key(f"{text}..{other}", body, JWKS, NOW_US) is None
