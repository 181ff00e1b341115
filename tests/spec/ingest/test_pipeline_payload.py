"""A packed payload never takes more memory than an unpacked one may. DEVICES 6.4: a gzip bomb is refused; DESIGN 4: 413."""

import gzip
import tracemalloc

import pytest

from hub.errors import FhirError
from hub.http import gunzip

LIMIT = 1_000_000
BOMB = gzip.compress(b"\0" * 200 * LIMIT, 9)


def test_a_bomb_does_not_unfold_before_it_is_refused() -> None:
    """Two hundred times the limit lies inside; little more than the limit is ever there."""
    tracemalloc.start()
    try:
        with pytest.raises(FhirError) as refusal:
            gunzip(BOMB, LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refusal.value.code == "too-long"
    assert peak < 5 * LIMIT


@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
def test_what_is_within_the_limit_comes_out_whole(size: int) -> None:
    assert gunzip(gzip.compress(b"x" * size), LIMIT) == b"x" * size


def test_one_byte_more_is_too_much() -> None:
    with pytest.raises(FhirError) as refusal:
        gunzip(gzip.compress(b"x" * (LIMIT + 1)), LIMIT)
    assert refusal.value.code == "too-long"
