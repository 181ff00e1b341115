"""What may be a password, and how it is kept. NIST SP 800-63B-4 section 3.1.1.2."""

import pytest

from hub.hashing import DECOY
from security.people.password_rules import Fault, fault_of
from security.people.passwords import hashed, is_outdated, matches

LOGIN = "camille.essai@hospital.example"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("grey herons", "short"),
        ("grey heron s", None),
        ("🦢🦢🦆🦆🪿🪿🐦🐦🐤🐤🦉🦉", None),
        ("x" * 257, "long"),
        ("password1234", "common"),
        ("!!!Azertyuiop2026", "common"),
        ("motdepasse-1975", "common"),
        ("aaaaaaaaaaaaaaaa", "common"),
        ("abcdefghijklmnop", "common"),
        ("98765432109876", "common"),
        ("qwertyuiopasdfgh", "common"),
        ("06 12 34 56 78 90", "common"),
        ("Camille.Essai2026", "own-name"),
        ("the camille.essai of old", "own-name"),
    ],
)
def test_length_decides_and_what_everybody_chooses_is_refused(password: str, fault: Fault | None) -> None:
    """No rule about kinds of characters; each code point counts as one."""
    assert fault_of(password, LOGIN, second_factor=True) == fault


@pytest.mark.parametrize(("password", "alone", "beside"), [("grey herons an", "short-alone", None), ("grey herons and", None, None)])
def test_a_password_alone_is_longer(password: str, alone: Fault | None, beside: Fault | None) -> None:
    """SP 800-63B-4 section 3.1.1.2: fifteen characters where it is the only factor."""
    assert fault_of(password, LOGIN, second_factor=False) == alone
    assert fault_of(password, LOGIN, second_factor=True) == beside


def test_it_is_kept_as_argon2id_with_the_parameters_of_rfc_9106_and_compared_in_one_spelling() -> None:
    """RFC 9106 section 4, second choice; NFKC, so that two keyboards write the same password."""
    kept = hashed("caf\u00e9 au lait, ﬁn", b"0123456789abcdef")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert matches(kept, "cafe\u0301 au lait, fin")
    assert not matches(kept, "cafe au lait, fin")


def test_what_is_compared_for_a_login_that_nobody_has_costs_the_same() -> None:
    """The decoy has today's parameters: otherwise the time would tell."""
    assert not is_outdated(DECOY)
    assert is_outdated(DECOY.replace("t=3", "t=2"))
