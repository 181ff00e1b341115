"""Rows: codes of leads, and units of time and voltage, as HL7 aECG writes them."""

from collections.abc import Mapping
from types import MappingProxyType

from adapters.leads import LEADS

LEAD_PREFIX = "MDC_ECG_LEAD_"
"""The code system 2.16.840.1.113883.6.24 (MDC) names a lead by its reference id."""

VOLT: Mapping[str, str] = MappingProxyType({"uV": "uV", "mV": "mV"})
SECONDS: Mapping[str, int] = MappingProxyType({"s": 0, "ms": -3, "us": -6})
"""Unit of the increment to its power of ten of a second."""

RECORDING = "signal-recording"
MEASURES: tuple[str, ...] = tuple(sorted({*LEADS.values(), RECORDING}))
