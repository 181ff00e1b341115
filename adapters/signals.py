"""What the formats of signals share: scaling as decimal text, and how long a strip may be.

https://hl7.org/fhir/R4/datatypes.html#SampledData: value = origin + factor * sample.
"""

from collections.abc import Sequence
from decimal import Context, Decimal, InvalidOperation

from adapters.limits import SAMPLES_MAX, STRIP_SECONDS_MAX
from adapters.refusal import ItemRefused

SCALING_DIGITS = 15
"""Of a factor that ends nowhere, such as 384/4095: more than any converter measures, fewer than FHIR's eighteen."""
DIGITS_MAX = 17
NUMBER_ABS_MAX = Decimal(10) ** 12

_CONTEXT = Context(prec=SCALING_DIGITS)
_WIDE = Context(prec=60)
_STEP_MIN = Decimal(10) ** -DIGITS_MAX


def number(text: str, what: str) -> Decimal:
    """A decimal of a header. Raises ItemRefused `header-not-a-number`; `what` names the field."""
    try:
        value = Decimal(text.strip().replace(",", ".") or "x")
    except InvalidOperation:
        raise ItemRefused("header-not-a-number", f"{what} is not a number.") from None
    if not value.is_finite() or abs(value) > NUMBER_ABS_MAX:
        raise ItemRefused("header-not-a-number", f"{what} is not a number that a device can mean.")
    return value


def written(value: Decimal) -> str:
    """Plain decimal text, without exponent and without zeros that say nothing; at most DIGITS_MAX decimals."""
    rounded = _CONTEXT.plus(value)
    if rounded != 0 and abs(rounded) < Decimal(1).scaleb(-1) and int(rounded.as_tuple().exponent) < -DIGITS_MAX:
        rounded = rounded.quantize(_STEP_MIN)
    text = format(rounded.normalize(_WIDE), "f")
    return "0" if text in {"-0", ""} else text


def line(low: Decimal, high: Decimal, low_sample: Decimal, high_sample: Decimal) -> tuple[str, str]:
    """Factor and origin of the line through (low_sample, low) and (high_sample, high). Raises ItemRefused `scaling-impossible`."""
    if low_sample >= high_sample or low == high:
        raise ItemRefused("scaling-impossible", "The range of the samples or of what they mean is empty.")
    factor = _WIDE.divide(high - low, high_sample - low_sample)
    origin = _WIDE.subtract(low, _WIDE.multiply(factor, low_sample))
    made = written(factor), written(origin)
    if made[0] == "0":
        raise ItemRefused("scaling-impossible", "A step of the samples means less than can be written.")
    return made


def period_ms(seconds: Decimal, samples: int) -> str:
    """Milliseconds from one sample to the next, where `samples` of them take `seconds`."""
    made = written(_WIDE.divide(_WIDE.multiply(seconds, Decimal(1000)), Decimal(samples)))
    if made.startswith("-") or made == "0":
        raise ItemRefused("scaling-impossible", "The samples have no distance in time.")
    return made


def is_strip(samples: int, seconds: Decimal) -> bool:
    """Is it short enough to stand in one Observation?"""
    return samples <= SAMPLES_MAX and seconds <= STRIP_SECONDS_MAX


def data_of(samples: Sequence[int]) -> str:
    """As SampledData.data has them."""
    return " ".join(map(str, samples))
