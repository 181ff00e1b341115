"""When each signing key is announced, signs, only verifies, and is gone. Pure: times come in as arguments.

announced → signing → verifying → gone. A key is announced before it signs, for as long as whoever caches the key set may keep it, so that
nobody ever meets a signature of a key that could not be known; when its successor signs it verifies for as long as a token can live. What
is written is two times for each key; the states follow from them, in each process by its own clock. A key that is withdrawn, for somebody
else may have it, is gone at once.

https://openid.net/specs/openid-connect-core-1_0.html#RotateSigningKeys, NIST SP 800-57 part 1 section 5.3.6 (periods of use)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from security.oauth.signing_keys import ACCESS, ALGORITHMS, IDENTITY, SigningAlgorithm, SigningKey, SigningKeys

State = Literal["announced", "signing", "verifying", "gone"]
_S: Final = 1_000_000
JWKS_MAX_AGE_S: Final = 600
"""For how long others may keep the key set."""
ANNOUNCED_S: Final = 3_600
"""How long before it signs a key stands in the key set: several times JWKS_MAX_AGE_S, for caches and clocks that are not ours."""
VERIFYING_S: Final = 7_200
"""How long after its last signature it verifies: longer than any token that the hub signs is good."""
HASTE_S: Final = 5
"""The same for who is in haste: by then each process has read the schedule, and others fetch the set anew for a kid they do not know."""
DAY_US: Final = 86_400 * _S


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A key and its times, in microseconds since 1970 UTC."""

    key: SigningKey = field(repr=False)
    announced_us: int
    signs_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """For people: a key, where it is, and until when (None: open)."""

    kid: str
    algorithm: SigningAlgorithm
    state: State
    signs_us: int
    until_us: int | None


@dataclass(frozen=True, slots=True)
class KeySchedule:
    """Every key of both kinds that is not gone. Each act gives a new schedule."""

    keys: tuple[Scheduled, ...]
    withdrawals: int = 0

    @staticmethod
    def first(make: Callable[[SigningAlgorithm], SigningKey], now_us: int) -> "KeySchedule":
        """One key of each kind, which sign at once."""
        return KeySchedule(tuple(Scheduled(key=make(kind), announced_us=now_us, signs_us=now_us) for kind in ALGORITHMS))

    def at(self, now_us: int) -> SigningKeys:
        """What signs and verifies now. Raises ValueError where nothing signs."""
        good = [one for one in self.keys if self.state(one, now_us) != "gone"]
        signing = {kind: self._signing(kind, now_us) for kind in ALGORITHMS}
        current, identity = signing[ACCESS], signing[IDENTITY]
        if current is None or identity is None:
            raise ValueError("no key signs")
        others = [one.key for one in good if one not in (current, identity)]
        return SigningKeys(current.key, *others, identity=identity.key, withdrawals=self.withdrawals)

    def state(self, one: Scheduled, now_us: int) -> State:
        if one is self._signing(one.key.algorithm, now_us):
            return "signing"
        if now_us < one.signs_us:
            return "announced"
        until_us = self._until_us(one)
        return "verifying" if until_us is None or now_us < until_us else "gone"

    def standings(self, now_us: int) -> list[Standing]:
        """The latest first, kind by kind."""
        ordered = sorted(self.keys, key=lambda one: (one.key.algorithm, -one.signs_us))
        return [
            Standing(
                kid=one.key.kid,
                algorithm=one.key.algorithm,
                state=self.state(one, now_us),
                signs_us=one.signs_us,
                until_us=self._until_us(one),
            )
            for one in ordered
        ]

    def rotated(self, make: Callable[[SigningAlgorithm], SigningKey], now_us: int, lead_s: int = ANNOUNCED_S) -> "KeySchedule":
        """A successor of each kind, which signs in `lead_s`; one that is announced already is only ever brought forward.

        Raises ValueError where every successor is announced already and nothing would change.
        """
        signs_us, made, changed = now_us + lead_s * _S, self._kept(now_us), False
        for kind in ALGORITHMS:
            waiting = [one for one in made if one.key.algorithm == kind and self.state(one, now_us) == "announced"]
            if not waiting:
                made.append(Scheduled(key=make(kind), announced_us=now_us, signs_us=signs_us))
                changed = True
            elif min(one.signs_us for one in waiting) > signs_us:
                made = [replace(one, signs_us=signs_us) if one is waiting[0] else one for one in made]
                changed = True
        if not changed:
            raise ValueError("the next keys are announced already; they sign when everybody can know them, or soon with --now")
        return replace(self, keys=tuple(made))

    def withdrawn(self, kid: str, make: Callable[[SigningAlgorithm], SigningKey], now_us: int) -> "KeySchedule":
        """Nothing that this key signed is good from now on; if it was to sign, another does at once. Raises ValueError."""
        found = next((one for one in self.keys if one.key.kid == kid and self.state(one, now_us) != "gone"), None)
        if found is None:
            raise ValueError("there is no such signing key, or it is gone already; hub keys status lists them")
        kind = found.key.algorithm
        kept = [one for one in self._kept(now_us) if one is not found]
        if self._signing(kind, now_us) is found:
            waiting = [one for one in kept if one.key.algorithm == kind and now_us < one.signs_us]
            successor = waiting[0] if waiting else Scheduled(key=make(kind), announced_us=now_us, signs_us=now_us)
            kept = [*(one for one in kept if one is not successor), replace(successor, signs_us=now_us)]
        return KeySchedule(tuple(kept), self.withdrawals + 1)

    def is_due(self, now_us: int, days: int) -> bool:
        """Should successors be announced, so that no key signs for longer than `days`?"""
        latest = [max(one.signs_us for one in self.keys if one.key.algorithm == kind) for kind in ALGORITHMS]
        return now_us >= min(latest) + days * DAY_US - ANNOUNCED_S * _S

    def to_document(self) -> dict[str, Any]:
        """With the private keys: to be sealed."""
        return {
            "withdrawals": self.withdrawals,
            "keys": [
                {
                    "algorithm": one.key.algorithm,
                    "pem": one.key.to_pem().decode("ascii"),
                    "announced_us": one.announced_us,
                    "signs_us": one.signs_us,
                }
                for one in self.keys
            ],
        }

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "KeySchedule":
        return KeySchedule(tuple(_scheduled(one) for one in document["keys"]), document["withdrawals"])

    def _signing(self, kind: SigningAlgorithm, now_us: int) -> Scheduled | None:
        """Of those whose time has come, the one that came last."""
        begun = [one for one in self.keys if one.key.algorithm == kind and one.signs_us <= now_us]
        return max(begun, key=lambda one: one.signs_us, default=None)

    def _until_us(self, one: Scheduled) -> int | None:
        """The successor's first signature, and the life of a token after it."""
        first = min(
            (two.signs_us for two in self.keys if two.key.algorithm == one.key.algorithm and two.signs_us > one.signs_us), default=None
        )
        return None if first is None else first + VERIFYING_S * _S

    def _kept(self, now_us: int) -> list[Scheduled]:
        """Without those that are gone: their private halves go with the next writing."""
        return [one for one in self.keys if self.state(one, now_us) != "gone"]


def _scheduled(found: Mapping[str, Any]) -> Scheduled:
    return Scheduled(
        key=SigningKey.from_pem(found["pem"].encode("ascii"), found["algorithm"]),
        announced_us=found["announced_us"],
        signs_us=found["signs_us"],
    )
