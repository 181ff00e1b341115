"""Rows: which signal of a file is which measure, which annotation which code.

Signals and annotations: https://www.edfplus.info/specs/edftexts.html. ResMed: labels and meaning as public readers of the
card's files name them (README.md); the maker publishes nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.leads import UNSPECIFIED, lead
from adapters.reading import Coded

LABELS = "https://www.edfplus.info/specs/edftexts.html"
"""EDF+'s own list of what a signal may be called: the system of a label that says where the electrodes were."""
STAGES = "http://hds-hub.invalid/fhir/CodeSystem/scored-sleep-stage"
EVENTS = "http://hds-hub.invalid/fhir/CodeSystem/respiratory-event"

_VOLT = {"uV": "uV", "µV": "uV", "mV": "mV", "nV": "nV"}
_ECG = {"uV": "uV", "µV": "uV", "mV": "mV"}
_FLOW = {"L/s": "L/s", "l/s": "L/s", "L/min": "L/min", "l/min": "L/min"}
_PRESSURE = {"cmH2O": "cm[H2O]", "cm H2O": "cm[H2O]", "mbar": "mbar", "hPa": "mbar"}
_RATE = {"bpm": "/min", "1/min": "/min", "/min": "/min", "P/M": "/min"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A kind of signal: dimension as written to UCUM code. `sited`: the label says where it was measured."""

    measure: str
    units: Mapping[str, str]
    sited: bool = False


_ROWS: tuple[tuple[re.Pattern[str], Row], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), row)
    for pattern, row in (
        (r"EEG\b.*", Row(measure="eeg", units=_VOLT, sited=True)),
        (r"EOG\b.*", Row(measure="eog", units=_VOLT, sited=True)),
        (r"EMG\b.*", Row(measure="emg", units=_VOLT, sited=True)),
        (r"Resp\b.*", Row(measure="respiration-waveform", units={"": "1", **_VOLT, "Ohm": "Ohm"}, sited=True)),
        (r"Temp\b.*", Row(measure="temperature-series", units={"degC": "Cel", "DegC": "Cel", "C": "Cel"}, sited=True)),
        (r"SaO2\b.*|SpO2\.1s", Row(measure="oxygen-saturation-series", units={"%": "%"})),
        (r"Pulse\.1s", Row(measure="pulse-rate-series", units=_RATE)),
        (r"Pleth\b.*", Row(measure="plethysmogram", units={"": "1", "%": "%"})),
        (r"Flow\.40ms|Flow", Row(measure="airway-flow", units=_FLOW)),
        (r"Press\.40ms|MaskPress\.2s", Row(measure="airway-pressure", units=_PRESSURE)),
    )
)
_ECG_LABEL = re.compile(r"E[CK]G(?: +(.+))?", re.IGNORECASE)


def row_of(label: str) -> Row | None:
    """The row of a signal, or None for one that the catalogue has no measure for."""
    ecg = _ECG_LABEL.fullmatch(label)
    if ecg is not None:
        known = None if ecg[1] is None else lead(ecg[1])
        return Row(measure=known or UNSPECIFIED, units=_ECG, sited=known is None and ecg[1] is not None)
    return next((row for pattern, row in _ROWS if pattern.fullmatch(label)), None)


_STAGE = {
    "W": ("wake", "Awake"),
    "1": ("n1", "Stage N1, or stage 1"),
    "N1": ("n1", "Stage N1, or stage 1"),
    "2": ("n2", "Stage N2, or stage 2"),
    "N2": ("n2", "Stage N2, or stage 2"),
    "3": ("n3", "Stage N3, or stage 3"),
    "N3": ("n3", "Stage N3, or stage 3"),
    "4": ("stage-4", "Stage 4 of Rechtschaffen and Kales"),
    "N": ("nrem", "Non-REM sleep, stage not said"),
    "R": ("rem", "REM sleep"),
    "M": ("movement", "Movement time"),
    "?": ("unscored", "Not scored"),
}
_EVENT = {
    "obstructive apnea": ("obstructive-apnea", "Obstructive apnoea"),
    "central apnea": ("central-apnea", "Central apnoea"),
    "mixed apnea": ("mixed-apnea", "Mixed apnoea"),
    "apnea": ("apnea", "Apnoea, kind not said"),
    "hypopnea": ("hypopnea", "Hypopnoea"),
    "arousal": ("arousal", "Arousal"),
    "eeg arousal": ("arousal", "Arousal"),
    "spo2 desaturation": ("desaturation", "Fall of the oxygen saturation"),
    "oxygen desaturation": ("desaturation", "Fall of the oxygen saturation"),
    "cheyne-stokes breathing": ("cheyne-stokes", "Cheyne-Stokes respiration"),
}
ANNOTATIONS: Mapping[str, tuple[str, Coded]] = MappingProxyType(
    {
        f"sleep stage {word.lower()}": ("sleep-stage-scored", Coded(system=STAGES, code=code, display=display))
        for word, (code, display) in _STAGE.items()
    }
    | {"movement time": ("sleep-stage-scored", Coded(system=STAGES, code="movement", display="Movement time"))}
    | {word: ("respiratory-event", Coded(system=EVENTS, code=code, display=display)) for word, (code, display) in _EVENT.items()}
)
"""Text of an annotation in lower case to measure and value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """A figure of ResMed's STR.edf, one a day. An empty dimension means what the maker writes elsewhere."""

    measure: str
    units: Mapping[str, str]


_INDEX = {"": "/h", "events/hr": "/h", "/hr": "/h", "1/h": "/h"}
_MINUTES = {"": "min", "min": "min", "minutes": "min"}
DAILY: Mapping[str, Daily] = MappingProxyType(
    {
        **{
            label: Daily(measure=measure, units=_INDEX)
            for label, measure in (
                ("AHI", "apnea-hypopnea-index"),
                ("AI", "apnea-index"),
                ("HI", "hypopnea-index"),
                ("OAI", "obstructive-apnea-index"),
                ("CAI", "central-apnea-index"),
            )
        },
        "Duration": Daily(measure="therapy-usage", units=_MINUTES),
        **{
            label: Daily(measure=measure, units={"": "L/s", **_FLOW})
            for label, measure in (("Leak.50", "mask-leak-median"), ("Leak.95", "mask-leak-95"), ("Leak.Max", "mask-leak-max"))
        },
        **{
            label: Daily(measure=measure, units={"": "cm[H2O]", "cmH2O": "cm[H2O]", "cm H2O": "cm[H2O]"})
            for label, measure in (
                ("MaskPress.50", "mask-pressure-median"),
                ("MaskPress.95", "mask-pressure-95"),
                ("MaskPress.Max", "mask-pressure-max"),
            )
        },
    }
)
"""Label to figure. Settings of the device (S.…) are not measurements of a person."""

MEASURES: tuple[str, ...] = tuple(
    sorted(
        {row.measure for _, row in _ROWS}
        | {measure for measure, _ in ANNOTATIONS.values()}
        | {daily.measure for daily in DAILY.values()}
        | {"signal-recording"}
        | {f"ecg-lead-{name}" for name in ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6", "unspecified")}
    )
)
