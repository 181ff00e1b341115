"""OBX-7 -> alarm limits. In PCD-01 they are what is set on the device, no reference range (IHE PCD TF volume 2, appendix B.8)."""

import re

from adapters.device_tree import Limits
from adapters.reading import Coded

_NUMBER = r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?"
_FORMS = (
    re.compile(rf"(?P<low>{_NUMBER})-(?P<high>{_NUMBER})", re.ASCII),
    re.compile(rf">=? ?(?P<low>{_NUMBER})(?P<high>)", re.ASCII),
    re.compile(rf"<=? ?(?P<low>)(?P<high>{_NUMBER})", re.ASCII),
    re.compile(rf"(?P<low>{_NUMBER})-(?P<high>)", re.ASCII),
)


def alarm_limits(text: str, of: Coded, unit: str) -> Limits | None:
    """`50-120`, `>50`, `<120`; None for what is no range."""
    form = next((found for one in _FORMS if (found := one.fullmatch(text.strip())) is not None), None)
    if form is None:
        return None
    return Limits(of=of, low=_decimal(form["low"]), high=_decimal(form["high"]), unit=unit)


def _decimal(text: str) -> str | None:
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, rest = digits.partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}{f'.{rest}' if rest else ''}" if digits else None
