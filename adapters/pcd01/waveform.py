"""A waveform in an OBX of type NA with its facet rows -> Samples (IHE PCD waveform content module)."""

from collections.abc import Sequence
from decimal import Decimal

from adapters.hl7v2.message import Segment
from adapters.hl7v2.terms import coded
from adapters.hl7v2.units import ucum_of
from adapters.hl7v2.values import number
from adapters.limits import SAMPLES_MAX
from adapters.pcd01.mapping import DATA_RANGE, NO_SAMPLE, RESOLUTION, SAMPLE_PERIOD, SAMPLE_RATES
from adapters.reading import Samples
from adapters.refusal import ItemRefused

PERIOD_DIGITS = 6
MILLISECONDS = Decimal(1000)


def strip(obx: Segment, facets: Sequence[Segment]) -> Samples:
    """Raises ItemRefused: no rate, no numbers, more than a minute."""
    unit = ucum_of(obx.components(6))
    period = next((found for facet in facets if (found := _period_ms(facet)) is not None), None)
    if period is None:
        raise ItemRefused("sample-rate-missing", "A waveform needs a facet row with its sample rate (MDC_ATTR_SAMP_RATE, per second).")
    absent = {number(value) for facet in facets if _name(facet) in NO_SAMPLE for value in facet.components(5) if value}
    parts = obx.field(5).split(obx.delimiters.component)
    if len(parts) > SAMPLES_MAX or len(obx.repetitions(5)) > 1:
        raise ItemRefused("strip-too-long", f"A strip has one dimension and {SAMPLES_MAX} samples at most.", keep=False)
    factor = next((number(facet.component(5, 1)) for facet in facets if _name(facet) == RESOLUTION), "1")
    lower, upper = _range(facets, unit)
    data = " ".join(_sample(part.strip(), absent) for part in parts)
    return Samples(data=data, period_ms=period, unit=unit, factor=factor, lower=lower, upper=upper)


def _sample(text: str, absent: set[str]) -> str:
    if not text:
        return "E"
    value = number(text)
    return "E" if value in absent else value


def _name(facet: Segment) -> str:
    found = coded(facet.components(3))
    return "" if found is None else found[1]


def _period_ms(facet: Segment) -> str | None:
    """Milliseconds from sample to sample, to a nanosecond: 150 a second is 6.666667 ms."""
    name = _name(facet)
    if name not in SAMPLE_RATES | {SAMPLE_PERIOD}:
        return None
    value = Decimal(number(facet.component(5, 1)))
    if value <= 0:
        raise ItemRefused("sample-rate-missing", "The sample rate of a waveform must be above zero.")
    period = value if name == SAMPLE_PERIOD else MILLISECONDS / value
    text = f"{period:.{PERIOD_DIGITS}f}".rstrip("0").rstrip(".")
    if text == "0":
        raise ItemRefused("sample-rate-missing", "The sample rate of a waveform is beyond what can be measured.")
    return text


def _range(facets: Sequence[Segment], unit: str) -> tuple[str | None, str | None]:
    """The device's limits, where they are said in the samples' own unit or in none."""
    for facet in facets:
        if _name(facet) == DATA_RANGE:
            low, high, *_ = [*facet.components(5), "", ""]
            own = facet.components(6)
            if low and high and (not any(own) or ucum_of(own) == unit):
                return number(low), number(high)
    return None, None
