"""Why a reading waits instead of being stored: a stable code, and what the sender can do about it (DESIGN 7)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """`code` is kebab-case and stable; `hint` is English for a person and never says what the value was."""

    code: str
    hint: str


UNKNOWN_MEASURE = Doubt(code="unknown-measure", hint="The measure is not in the catalogue of this hub; replay the item when it is.")
UNKNOWN_COMPONENT = Doubt(code="unknown-component", hint="A component is not one that the measure has.")
UNKNOWN_CONTEXT = Doubt(
    code="unknown-context", hint="A circumstance of the measurement (body site, posture, method) is not in the catalogue."
)
UNKNOWN_QUALITY = Doubt(code="unknown-quality", hint="A quality flag is not in the code system of this hub.")
NO_VALUE = Doubt(code="no-value", hint="Send a value, the components of the measure, or the reason why there is none.")
VALUE_NOT_A_NUMBER = Doubt(code="value-not-a-number", hint="The value must be decimal text such as 74.1, of at most 24 characters.")
VALUE_NOT_A_QUANTITY = Doubt(
    code="value-not-a-quantity", hint="The measure is a quantity and does not take a code, a strip or a value beside its components."
)
VALUE_NOT_A_CODE = Doubt(code="value-not-a-code", hint="The value of this measure is a code of the catalogue, not a quantity or a strip.")
UNKNOWN_VALUE_CODE = Doubt(code="unknown-value-code", hint="The code is not one that the catalogue of this hub has for the measure.")
VALUE_NOT_A_STRIP = Doubt(code="value-not-a-strip", hint="The measure is a strip of samples and does not take a single value.")
STRIP_UNREADABLE = Doubt(
    code="strip-unreadable", hint="Samples must be decimals, E, L or U with a space between them; period, origin and factor decimals."
)
STRIP_TOO_LONG = Doubt(code="strip-too-long", hint="A strip has a minute of samples at most; send longer recordings as a document.")
VALUE_NOT_A_RECORDING = Doubt(code="value-not-a-recording", hint="The measure is a recording kept as a document and takes nothing else.")
RECORDING_TOO_LONG = Doubt(code="recording-too-long", hint="A recording has less than 2 GiB; send it in parts.")
IMPLAUSIBLE_VALUE = Doubt(
    code="implausible-value", hint="The value is outside what is physically possible; check unit, scale and the device's special values."
)
NO_TIME = Doubt(code="no-time", hint="The reading has no time; correct the device's clock or send the time with it.")
TIME_WITHOUT_CALENDAR = Doubt(
    code="time-without-calendar", hint="The time is a counter of the device; send it with the moment at which the counter was read."
)
TIME_ZONE_MISSING = Doubt(code="time-zone-missing", hint="The device writes local time; state its time zone, such as Europe/Paris.")
TIME_ZONE_UNKNOWN = Doubt(code="time-zone-unknown", hint="State the time zone as an IANA region such as Europe/Paris, or UTC.")
TIME_AMBIGUOUS = Doubt(
    code="time-ambiguous", hint="This local time happened twice, as summer time ended; only the offset can say which of the two it was."
)
TIME_NONEXISTENT = Doubt(
    code="time-nonexistent", hint="This local time was skipped as summer time began; check the time zone and the device's clock."
)
TIME_IN_FUTURE = Doubt(
    code="time-in-future", hint="The reading is later than now by more than ten minutes; check the device's clock and the time zone."
)
TIME_NOT_SET = Doubt(
    code="time-not-set",
    hint="The time lies in 1970, where clocks begin that nobody has set; set the device's clock and send the reading anew.",
)
OFFSET_IMPOSSIBLE = Doubt(
    code="offset-impossible", hint="No place on earth is more than 14 hours from UTC; check the offset that the device writes."
)
TIME_OUT_OF_RANGE = Doubt(code="time-out-of-range", hint="The year is not between 1900 and 2100; check the device's clock.")


PERIOD_REVERSED = Doubt(code="period-reversed", hint="The end is before the start; check the device's clock and the time zone.")


def unit_not_allowed(allowed: tuple[str, ...]) -> Doubt:
    """`allowed`: the UCUM codes that the catalogue takes for the measure."""
    return Doubt(code="unit-not-allowed", hint=f"The measure takes one of these UCUM units: {', '.join(allowed)}.")
