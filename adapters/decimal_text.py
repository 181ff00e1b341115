"""Mantissa and exponent to decimal text, exactly: the exponent is the precision of the device.

http://hl7.org/fhir/uv/phd/FLOATS.html has the examples: 20·10^-1 is "2.0", 2·10^2 is "200".
"""

import re

from adapters.limits import EXPONENT_ABS_MAX, MANTISSA_DIGITS_MAX

_WRITTEN = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?")


def decimal_text(mantissa: int, exponent: int) -> str:
    """Write mantissa·10^exponent as FHIR decimal without exponent, with as many decimals as -exponent says."""
    if exponent >= 0:
        return str(mantissa * 10**exponent)
    digits = str(abs(mantissa)).zfill(1 - exponent)
    sign = "-" if mantissa < 0 else ""
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"


def written_decimal(text: str) -> str | None:
    """Return a number as FHIR decimal with the digits it was written with, without exponent or sign of plus; None if it is none.

    5.50 stays 5.50, .5 becomes 0.5 and 1.50e1 becomes 15.0. None also for more digits than a measurement has.
    """
    form = _WRITTEN.fullmatch(text)
    if form is None:
        return None
    sign, whole, fraction, exponent = form[1], form[2], form[3] or "", int(form[4] or 0)
    digits = len((whole + fraction).lstrip("0"))
    if not (whole or fraction) or digits > MANTISSA_DIGITS_MAX or max(abs(exponent), len(fraction)) > EXPONENT_ABS_MAX:
        return None
    number = decimal_text(int(whole + fraction), exponent - len(fraction))
    return f"-{number}" if sign == "-" else number
