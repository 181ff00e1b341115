"""What a series and its sequences say, as values; and the same written out again, without the subject or the trial."""

import re
from collections.abc import Sequence as Several
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from adapters.aecg.document import Sequence, Series
from adapters.aecg.mapping import LEAD_PREFIX, SECONDS, VOLT
from adapters.leads import lead
from adapters.limits import FIELD_CHARS_MAX
from adapters.refusal import ItemRefused
from adapters.signals import number, written

_DIGITS = re.compile(r"-?[0-9]{1,9}(?:\s+-?[0-9]{1,9})*")
_AUTHOR = "<author><seriesAuthor><manufacturedSeriesDevice><id extension={}/></manufacturedSeriesDevice></seriesAuthor></author>"
_PLAIN = re.compile(r"[\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]*")


def device_of(series: Series) -> str | None:
    """The unit, if what is said of it can be an identifier."""
    return series.device if series.device and len(series.device) <= FIELD_CHARS_MAX and _PLAIN.fullmatch(series.device) else None


def measure_of(sequence: Sequence) -> str | None:
    """The lead as a measure of the catalogue."""
    return lead(sequence.code.removeprefix(LEAD_PREFIX)) if sequence.code.startswith(LEAD_PREFIX) else None


def is_digits(sequence: Sequence) -> bool:
    return _DIGITS.fullmatch(sequence.digits) is not None


def scaling(sequence: Sequence) -> tuple[str, str, str]:
    """Unit, origin and factor: value = origin + scale * digit; both have to speak in one unit. Raises ItemRefused."""
    unit = VOLT.get(sequence.scale[1])
    if unit is None or sequence.origin[1] not in {sequence.scale[1], ""}:
        raise ItemRefused("unknown-unit", "Origin and scale must both be in uV, or both in mV.")
    factor = written(number(sequence.scale[0], "The scale"))
    if factor == "0":
        raise ItemRefused("scaling-impossible", "The scale is zero: every sample would mean the same.")
    return unit, written(number(sequence.origin[0] or "0", "The origin")), factor


def seconds_of(quantity: tuple[str, str], what: str) -> Decimal:
    power = SECONDS.get(quantity[1])
    if power is None:
        raise ItemRefused("unknown-unit", f"{what} is not in s, ms or us.")
    seconds = number(quantity[0], what).scaleb(power)
    if abs(seconds) > 10**9:
        raise ItemRefused("header-not-a-number", f"{what} is longer than thirty years.")
    return seconds


def written_series(series: Series, sequences: Several[Sequence]) -> bytes:
    """The same series with these sequences alone, in our own writing: nothing of the subject or the trial."""
    device = _AUTHOR.format(quoteattr(series.device)) if series.device else ""
    if series.head is None:
        time = f'<code code="TIME_ABSOLUTE"/><value><head value={quoteattr(series.start)}/>{_tag("increment", series.increment)}</value>'
    else:
        time = f'<code code="TIME_RELATIVE"/><value>{_tag("head", series.head)}{_tag("increment", series.increment)}</value>'
    made = "".join(_written(one) for one in sequences)
    return (
        '<AnnotatedECG xmlns="urn:hl7-org:v3"><component><series>'
        f"<effectiveTime><low value={quoteattr(series.start)}/></effectiveTime>{device}"
        f"<component><sequenceSet><component><sequence>{time}</sequence></component>{made}"
        "</sequenceSet></component></series></component></AnnotatedECG>"
    ).encode()


def _written(sequence: Sequence) -> str:
    value = f"{_tag('origin', sequence.origin)}{_tag('scale', sequence.scale)}<digits>{escape(sequence.digits)}</digits>"
    return f"<component><sequence><code code={quoteattr(sequence.code)}/><value>{value}</value></sequence></component>"


def _tag(name: str, quantity: tuple[str, str]) -> str:
    return f"<{name} value={quoteattr(quantity[0])} unit={quoteattr(quantity[1])}/>"
