"""Chance that is none: the same seed gives the same numbers on every machine and every Python."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")
_BYTES = 8


class Chance:
    """A stream of numbers that follows from its seed."""

    def __init__(self, *seed: object) -> None:
        self._seed, self._drawn = repr(seed).encode(), 0

    def below(self, end: int) -> int:
        """From 0 up to `end`, which is not included."""
        self._drawn += 1
        drawn = sha256(self._seed + self._drawn.to_bytes(_BYTES, "big")).digest()
        return int.from_bytes(drawn[:_BYTES], "big") % end

    def between(self, low: str, high: str, decimals: int) -> str:
        """Decimal text with so many decimals, both ends included."""
        step = Decimal(1).scaleb(-decimals)
        first, last = int(Decimal(low) / step), int(Decimal(high) / step)
        return f"{(first + self.below(last - first + 1)) * step:.{decimals}f}"

    def one(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """Fisher and Yates."""
        rest, out = list(things), []
        while rest:
            out.append(rest.pop(self.below(len(rest))))
        return out
