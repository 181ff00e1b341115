"""Limits that every parser keeps, so that no payload can exhaust memory, the stack or a person's patience.

Compression is undone by the transport, which has its own limit; sizes here are of the plain payload.
"""

PAYLOAD_BYTES_MAX = 64 * 1024 * 1024
ITEMS_MAX = 500_000
DEPTH_MAX = 16
"""Nesting of JSON. The deepest place any adapter reads is level 7 (a Withings measure)."""

RAW_BYTES_MAX = 512 * 1024
"""One item's own bytes. A longer one is refused: it would be kept sealed and shown to people. A strip of thirty seconds, written
out as text at a thousand samples a second, is a third of that."""

SAMPLES_MAX = 60_000
"""Of one strip: a minute at a thousand samples a second. A longer recording is a document, not an Observation."""

FIELD_CHARS_MAX = 256
"""Identifiers, time texts and other words that are kept as they are."""

MANTISSA_DIGITS_MAX = 18
EXPONENT_ABS_MAX = 20
"""Beyond these a number is damage, not a measurement; written out it would be a wall of zeros."""

STRIP_SECONDS_MAX = 30
"""Of one strip, too: a longer recording is a document, however slowly it was sampled."""

YEAR_MIN, YEAR_MAX = 1900, 2199
"""Years a device can have measured in; also keeps every instant convertible to every zone."""
