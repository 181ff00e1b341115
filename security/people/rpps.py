"""The number of a health professional in the French national directory (RPPS): eleven digits, the last a check digit by Luhn."""

import re
from typing import Final

RPPS_SYSTEM: Final = "https://rpps.esante.gouv.fr"
"""As French FHIR names it (https://hl7.fr/ig/fhir/core)."""
RPPS: Final = re.compile(r"[0-9]{11}")
_TEN: Final = 10
_NINE: Final = 9


def is_rpps(text: str) -> bool:
    """ISO/IEC 7812-1 annex B over all eleven digits."""
    return RPPS.fullmatch(text) is not None and _luhn(text) % _TEN == 0


def _luhn(digits: str) -> int:
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + at % 2)
        total += value - _NINE if value > _NINE else value
    return total
