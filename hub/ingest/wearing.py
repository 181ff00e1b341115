"""Who had a unit then: pairings as periods, whole units and units that several people use at the same time. Pure.

A unit is bound to a patient in one of three ways. As a whole: whatever it measures is the patient's. By user index: what it
measures under that index, which the unit itself says beside each reading (GATT, blood pressure and weight: User ID). Shared:
the unit does not say who measured, so a person has to. docs/guides/units.md
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from adapters.reading import Reading

UNKNOWN_USER: Final = -1
"""The unit says that it does not know which of its users measured, or that it was a guest."""
USER_INDEX_MIN, USER_INDEX_MAX = 0, 254
"""https://www.bluetooth.com/specifications/gss/: User ID is an octet, 255 is a user whom the unit does not know."""
_FLAG, _AMBIGUOUS = "user-index:", "ambiguous-user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How a patient uses a unit: as a whole, under a user index, or shared with others whom it cannot tell apart."""

    user_index: int | None = None
    shared: bool = False

    @property
    def whole(self) -> bool:
        return self.user_index is None and not self.shared

    def is_of(self, user: int | None) -> bool:
        """Does a reading with this user index belong to whoever uses the unit so?"""
        return self.whole or (self.user_index is not None and self.user_index == user)


WHOLE: Final = Use()


class Worn(Protocol):
    """What two pairings are compared by."""

    @property
    def patient(self) -> bytes: ...
    @property
    def from_us(self) -> int | None: ...
    @property
    def to_us(self) -> int | None: ...
    @property
    def use(self) -> Use: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A pairing opened: the device and the patient by reference, for the period [from_us, to_us)."""

    patient: bytes
    patient_reference: str
    device_reference: str
    from_us: int | None
    to_us: int | None
    use: Use = WHOLE

    def covers(self, first_us: int, last_us: int) -> bool:
        """What lasts has to lie within the pairing as a whole: the rest may be somebody else's."""
        return (self.from_us is None or first_us >= self.from_us) and (self.to_us is None or last_us < self.to_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """`binding`: whose the reading is. Without one it may be of anyone in `among`, those who had the unit then, or of a guest."""

    binding: Binding | None = None
    among: tuple[Binding, ...] = ()


NOBODY: Final = Holder()


def holder(bindings: Iterable[Binding], user: int | None, first_us: int, last_us: int) -> Holder:
    """Who had the unit from first_us to last_us, of those who use it under this index.

    user  the index that the reading carries, UNKNOWN_USER, or None where it carries nothing
    Several at once is not guessed: then they are all named.
    """
    covering = tuple(one for one in bindings if one.covers(first_us, last_us))
    named = [one for one in covering if one.use.is_of(user)]
    if len({one.patient for one in named}) == 1:
        return Holder(binding=named[0], among=(named[0],))
    return Holder(among=covering)


def contradict(one: Worn, other: Worn) -> bool:
    """Can two pairings of one unit not both be true? They overlap, and a reading could have two owners by them."""
    if not overlap(one, other.from_us, other.to_us):
        return False
    same = one.patient == other.patient
    if one.use.whole or other.use.whole:
        return not (same and one.use.whole and other.use.whole)
    return one.use.user_index is not None and one.use.user_index == other.use.user_index and not same


def overlap(pairing: Worn, from_us: int | None, to_us: int | None) -> bool:
    begins_before = to_us is None or pairing.from_us is None or pairing.from_us < to_us
    ends_after = from_us is None or pairing.to_us is None or pairing.to_us > from_us
    return begins_before and ends_after


def user_index(reading: Reading) -> int | None:
    """The index under which the unit says it measured: adapters carry it as a flag, because it is part of what was measured."""
    for flag in reading.quality:
        if flag.startswith(_FLAG):
            said = flag.removeprefix(_FLAG)
            return int(said) if said.isascii() and said.isdecimal() else UNKNOWN_USER
    return UNKNOWN_USER if _AMBIGUOUS in reading.quality else None
