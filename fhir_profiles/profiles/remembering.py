"""What was found right is not looked at again: the same category and the same code come with each of a million readings.

Only concepts and codings that say nothing but codes and texts are remembered: whether they are right depends on nothing around
them. What is wrong is looked at each time, for it has to be told with its place.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from fhir_profiles.profiles.finding import Path
from fhir_profiles.profiles.run import Check, Run

CODED: Final = frozenset({"CodeableConcept", "Coding"})
REMEMBERED_MAX: Final = 256
"""For each element of each profile; then it starts again, so that nobody can fill the memory with codes."""
BYTES_MAX: Final = 1_024
EXTENSION: Final = b'"extension"'
"""May hold anything, a reference into the resource too."""


def remembering(name: str, check: Check) -> Check:
    """The same as `check` of the element `name`, which is of a type of CODED alone."""
    right: set[bytes] = set()

    def remembered(value: Mapping[str, Any], path: Path, run: Run) -> None:
        inner = value.get(name)
        key = None if inner is None or run.advice else _key(inner)
        if key is None:
            check(value, path, run)
            return
        if key in right:
            return
        before = len(run.findings)
        check(value, path, run)
        if before == len(run.findings) == 0:
            if len(right) >= REMEMBERED_MAX:
                right.clear()
            right.add(key)

    return remembered


def _key(value: Any) -> bytes | None:
    """The value itself, as bytes; None for what is not worth it, or may depend on more."""
    try:
        key = orjson.dumps(value)
    except TypeError:  # a decimal with its digits: only an extension has one
        return None
    return key if len(key) <= BYTES_MAX and EXTENSION not in key else None
