"""Mantissa and exponent to decimal text, exactly: the exponent is the precision of the device.

http://hl7.org/fhir/uv/phd/FLOATS.html has the examples: 20·10^-1 is "2.0", 2·10^2 is "200".
"""


def decimal_text(mantissa: int, exponent: int) -> str:
    """Write mantissa·10^exponent as FHIR decimal without exponent, with as many decimals as -exponent says."""
    if exponent >= 0:
        return str(mantissa * 10**exponent)
    digits = str(abs(mantissa)).zfill(1 - exponent)
    sign = "-" if mantissa < 0 else ""
    return f"{sign}{digits[:exponent]}.{digits[exponent:]}"
