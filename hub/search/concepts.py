"""How codings and identifiers are written before they become tokens: the one encoding for rows and for searches.

`system|code`, `|code` without a system, and `*|code` where a search by bare code could not list the system.
"""

from collections.abc import Iterable
from functools import lru_cache

ANY_SYSTEM = "*|"
NO_SYSTEM = "|"
SYSTEMS_CACHED_MAX = 4_096


@lru_cache(SYSTEMS_CACHED_MAX)
def prefix(system: str) -> str:
    """`system|`, with what the encoding itself uses escaped, so that no two pairs are written alike."""
    for special in ("\\", "|", "*"):
        system = system.replace(special, "\\" + special)
    return system + "|"


def qualified(system: str, code: str) -> str:
    return prefix(system) + code


def with_any_system(code: str, systems: Iterable[str]) -> frozenset[str]:
    """What a row may carry for this code, whatever its system; `systems` are those that get no any-system token."""
    return frozenset({ANY_SYSTEM + code, NO_SYSTEM + code, *(prefix(system) + code for system in systems)})
