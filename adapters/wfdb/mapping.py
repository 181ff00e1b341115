"""Rows: what the description of a signal means. https://physionet.org/physiotools/wag/signal-5.htm, https://archive.physionet.org/physiobank/annotations.shtml"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.leads import LEADS, UNSPECIFIED, lead

DESCRIPTIONS = "https://physionet.org/physiotools/wag/signal-5.htm"
"""Where a description that says more than the measure comes from: the system of that word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`units`: as a header writes them to UCUM. `sited`: the description says more than the measure."""

    measure: str
    units: Mapping[str, str]
    sited: bool = False


_VOLT = MappingProxyType({"mV": "mV", "uV": "uV", "µV": "uV"})
_ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "resp": Row(measure="respiration-waveform", units=MappingProxyType({"NU": "1", "mV": "mV", "Ohm": "Ohm"})),
        "pleth": Row(measure="plethysmogram", units=MappingProxyType({"NU": "1"})),
        **{name: Row(measure=UNSPECIFIED, units=_VOLT, sited=True) for name in ("mli", "mlii", "mliii", "mcl1", "mcl6", "cm5")},
        **{name: Row(measure=UNSPECIFIED, units=_VOLT) for name in ("ecg", "ekg")},
    }
)


def row_of(description: str) -> Row | None:
    """The row of a signal by its description, or None."""
    known = lead(description)
    if known is not None:
        return Row(measure=known, units=_VOLT)
    if description.lower().startswith("eeg"):
        return Row(measure="eeg", units=_VOLT, sited=True)
    return _ROWS.get(description.lower())


RECORDING = "signal-recording"
MEASURES: tuple[str, ...] = tuple(sorted({*LEADS.values(), "eeg", RECORDING, *(row.measure for row in _ROWS.values())}))
