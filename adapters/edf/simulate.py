"""EDF of one signal, and ResMed's STR.edf of some days, written from measurements. https://www.edfplus.info/specs/edf.html

A signal has no word for a sample that is missing; of a figure that a day does not have, the card holds a number below zero.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

from adapters.edf.header import Header, Signal, write_header
from adapters.edf.summary import DATE, DAY_SECONDS
from adapters.kit.scene import Scene, Sort, Unwritable
from adapters.kit.writing import strip
from adapters.leads import LEADS, UNSPECIFIED

SERIAL: Final = "SIM-{:06}"
LOWEST, HIGHEST = -0x8000, 0x7FFF
NOON: Final = time(12)
CARD_BEGAN: Final = datetime(2020, 1, 1, 12)  # noqa: DTZ001 -- a wall clock
"""The same in every file that is copied from a card."""
EPOCH: Final = date(1970, 1, 1)
YEAR_MAX_OF_TWO_DIGITS: Final = 2084
SIGNALS: Final[Mapping[str, tuple[str, str, str]]] = {
    **{measure: (f"ECG {name.upper()}", "uV", "uV") for name, measure in LEADS.items()},
    UNSPECIFIED: ("ECG", "uV", "uV"),
    "eeg": ("EEG Fpz-Cz", "uV", "uV"),
    "eog": ("EOG horizontal", "uV", "uV"),
    "emg": ("EMG submental", "uV", "uV"),
    "respiration-waveform": ("Resp oro-nasal", "", "1"),
    "temperature-series": ("Temp rectal", "degC", "Cel"),
    "oxygen-saturation-series": ("SpO2.1s", "%", "%"),
    "pulse-rate-series": ("Pulse.1s", "bpm", "/min"),
    "plethysmogram": ("Pleth", "", "1"),
    "airway-flow": ("Flow.40ms", "L/s", "L/s"),
    "airway-pressure": ("Press.40ms", "cmH2O", "cm[H2O]"),
}
"""Measure -> label and dimension of its signal, and the unit in UCUM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a day: label, dimension and what a step of its samples means."""

    label: str
    dimension: str
    step: str


FIGURES: Final[Mapping[str, Figure]] = {
    "therapy-usage": Figure(label="Duration", dimension="minutes", step="1"),
    "apnea-hypopnea-index": Figure(label="AHI", dimension="", step="0.1"),
    "apnea-index": Figure(label="AI", dimension="", step="0.1"),
    "hypopnea-index": Figure(label="HI", dimension="", step="0.1"),
    "obstructive-apnea-index": Figure(label="OAI", dimension="", step="0.1"),
    "central-apnea-index": Figure(label="CAI", dimension="", step="0.1"),
    "mask-leak-median": Figure(label="Leak.50", dimension="L/s", step="0.01"),
    "mask-leak-95": Figure(label="Leak.95", dimension="L/s", step="0.01"),
    "mask-leak-max": Figure(label="Leak.Max", dimension="L/s", step="0.01"),
    "mask-pressure-median": Figure(label="MaskPress.50", dimension="cmH2O", step="0.01"),
    "mask-pressure-95": Figure(label="MaskPress.95", dimension="cmH2O", step="0.01"),
    "mask-pressure-max": Figure(label="MaskPress.Max", dimension="cmH2O", step="0.01"),
}


def _figure(measure: str, unit: str, decimals: int, low: str, high: str) -> Sort:
    return Sort(measure=measure, unit=unit, decimals=decimals, usual={"": (low, high)}, begins=NOON)


class Simulator:
    """Signals each in a file of its own, figures together in one STR.edf."""

    one_unit = True
    sorts: Sequence[Sort] = (
        strip("airway-flow", "L/s", ("-300", "300")),
        strip("eeg", "uV", ("-900", "900")),
        _figure("therapy-usage", "min", 0, "200", "540"),
        _figure("apnea-hypopnea-index", "/h", 1, "0", "14.9"),
        _figure("mask-leak-95", "L/s", 2, "0", "0.40"),
        _figure("mask-pressure-95", "cm[H2O]", 2, "6", "16"),
    )
    more: Sequence[Sort] = (
        *(strip(measure, unit, ("-90", "300")) for measure, (_, _, unit) in SIGNALS.items() if measure not in {"airway-flow", "eeg"}),
        *(_figure(f"{kind}-index", "/h", 1, "0", "9.9") for kind in ("apnea", "hypopnea", "obstructive-apnea", "central-apnea")),
        *(_figure(f"mask-leak-{kind}", "L/s", 2, "0", "0.60") for kind in ("median", "max")),
        *(_figure(f"mask-pressure-{kind}", "cm[H2O]", 2, "5", "18") for kind in ("median", "max")),
    )

    def device(self, number: int) -> str:
        return SERIAL.format(number)

    def write(self, scenes: Sequence[Scene]) -> bytes:
        return _recording(scenes[0]) if scenes[0].sort.samples else _card(scenes, absent=False)

    def write_absent(self, scenes: Sequence[Scene]) -> bytes:
        if scenes[0].sort.samples:
            raise Unwritable
        return _card(scenes, absent=True)


def _recording(scene: Scene) -> bytes:
    """One data record of a second, a step of the samples a tenth of the unit."""
    label, dimension, _ = SIGNALS[scene.sort.measure]
    samples = [int(word) for word in scene.values[""].split()]
    signals = [_signal(label, dimension, "0.1", len(samples))]
    return write_header(_header(scene.device, scene.at.replace(tzinfo=None), signals, 1, 1)) + _octets(samples)


def _card(scenes: Sequence[Scene], *, absent: bool) -> bytes:
    """A record a day; a day that is there twice has two. A figure that one of the days lacks is below zero on it."""
    measures = list(dict.fromkeys(one.sort.measure for one in scenes))
    records: dict[tuple[int, int], dict[str, int]] = {}
    times: Counter[tuple[int, str]] = Counter()
    for one in scenes:
        if one.at.time() != NOON or not 0 < (day := (one.at.date() - EPOCH).days) <= HIGHEST:
            raise Unwritable
        measure = one.sort.measure
        times[day, measure] += 1
        record = records.setdefault((day, times[day, measure]), {})
        record[measure] = -1 if absent else int(Decimal(one.values[""]) / Decimal(FIGURES[measure].step))
    rows = [FIGURES[measure] for measure in measures]
    signals = [_signal(DATE, "", "1", 1), *(_signal(row.label, row.dimension, row.step, 1) for row in rows)]
    written = [_octets([day, *(record.get(measure, -1) for measure in measures)]) for (day, _), record in records.items()]
    return write_header(_header(scenes[0].device, CARD_BEGAN, signals, len(records), DAY_SECONDS)) + b"".join(written)


def _signal(label: str, dimension: str, step: str, samples: int) -> Signal:
    low, high = (format(Decimal(step) * limit, "f")[:8] for limit in (LOWEST, HIGHEST))
    return Signal(
        label=label,
        transducer="simulated",
        dimension=dimension,
        physical=(low, high),
        digital=(str(LOWEST), str(HIGHEST)),
        filters="",
        samples=samples,
    )


def _header(serial: str, start: datetime, signals: Sequence[Signal], records: int, seconds: int) -> Header:
    year = f"{start.year % 100:02}" if start.year <= YEAR_MAX_OF_TWO_DIGITS else "yy"
    return Header(
        wide=False,
        form="",
        start=start,
        date=f"{start:%d.%m.}{year}",
        time=f"{start:%H.%M.%S}",
        serial=serial,
        records=records,
        seconds=Decimal(seconds),
        signals=tuple(signals),
    )


def _octets(samples: Sequence[int]) -> bytes:
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


SIMULATOR = Simulator()
