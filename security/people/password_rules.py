"""What may be a password.

NIST SP 800-63B-4 section 3.1.1.2: length decides; no rules about kinds of characters, no expiry; what many people choose, what
stands in the account itself and the name of the service are refused.
"""

from itertools import pairwise
from typing import Final, Literal

from security.people.account import folded
from security.people.passwords import prepared

Fault = Literal["short", "short-alone", "long", "common", "own-name"]

LENGTH_MIN: Final = 12
LENGTH_MIN_ALONE: Final = 15
"""Where no second factor stands beside it."""
LENGTH_MAX: Final = 256
DISTINCT_MIN: Final = 5
NAME_MIN: Final = 4
"""Shorter parts of a login say nothing: they may stand in any word."""

_WORDS: Final = """
password passw0rd passwort motdepasse azerty azertyuiop qwerty qwertyuiop qwertz iloveyou jetaime letmein bienvenue welcome
bonjour hello soleil sunshine doudou chouchou princesse princess monkey dragon football marseille welcometo letmeinnow changeme
changezmoi administrator administrateur superuser default secret hopital hospital docteur doctor infirmiere nurse sante health
medical medecin patient patients correcthorsebatterystaple trustno1 starwars batman superman whatever internet ordinateur computer
securite security access acces utilisateur username loginlogin motdepassemotdepasse passwordpassword qwertyqwerty azertyazerty
hdshub
"""
COMMON: Final = frozenset(_WORDS.split())
"""Words that people choose, alone or with digits and signs around them."""
_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "azertyuiop", "qwertyuiop", "qsdfghjklm", "asdfghjkl", "zxcvbnm", "wxcvbn")
_AROUND: Final = "0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~£€ "


def fault_of(password: str, login: str, *, second_factor: bool) -> Fault | None:
    """Why this cannot be the password of the account with this login; None if it can.

    second_factor  one is asked for beside it
    """
    text = prepared(password)
    if len(text) < LENGTH_MIN:
        return "short"
    if len(text) > LENGTH_MAX:
        return "long"
    if len(text) < LENGTH_MIN_ALONE and not second_factor:
        return "short-alone"
    if _names(folded(text), login):
        return "own-name"
    return "common" if _is_common(folded(text)) else None


def _names(text: str, login: str) -> bool:
    """Does the password say the login again, whole or the part before the @?"""
    name = folded(login)
    return any(len(part) >= NAME_MIN and part in text for part in (name, name.partition("@")[0]))


def _is_common(text: str) -> bool:
    core = text.strip(_AROUND)
    return len(set(text)) < DISTINCT_MIN or not core or core in COMMON or _is_row(text) or _is_row(core)


def _is_row(text: str) -> bool:
    """Neighbours on the keyboard, in the alphabet or among the digits, nearly all the way, up or down."""
    steps = [any(one + two in row or two + one in row for row in _ROWS) for one, two in pairwise(text)]
    return sum(steps) * 10 >= len(steps) * 8
