"""Regular expressions in time linear to the text, whoever wrote them: RE2 knows no backtracking.

https://hl7.org/fhirpath/N1/#matchesregex-string-boolean. Lookarounds and backreferences are refused when the expression
is read, where the pattern is a literal, else when it is met.
"""

from functools import lru_cache
from typing import Any, Final

import re2

from fhir_profiles.fhirpath.errors import FhirPathEvaluationError

PATTERN_CHARS_MAX: Final = 2_000
MEMORY_MAX: Final = 8 * 1024 * 1024


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY_MAX
    options.dot_nl = True
    return options


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    if len(pattern) > PATTERN_CHARS_MAX:
        raise FhirPathEvaluationError(f"a regular expression has at most {PATTERN_CHARS_MAX} characters")
    try:
        return re2.compile(pattern, _options())
    except re2.error as error:
        raise FhirPathEvaluationError("not a regular expression, or one that cannot be run in bounded time") from error


def prepare(pattern: str) -> None:
    """Raises FhirPathEvaluationError for a pattern that cannot be used."""
    _compiled(pattern)


def matches(text: str, pattern: str) -> bool:
    """Is the pattern found? Whoever means the whole text anchors it."""
    return _compiled(pattern).search(text) is not None


def replaced(text: str, pattern: str, substitution: str) -> str:
    """An empty pattern finds nothing that could be replaced."""
    return text if not pattern else str(_compiled(pattern).sub(_references(substitution), text))


def _references(substitution: str) -> str:
    """A group is `$1` to the specification and a backslash to RE2."""
    return substitution.replace("\\", "\\\\").replace("$", "\\")
