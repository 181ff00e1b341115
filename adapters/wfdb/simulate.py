"""A WFDB record of one signal in format 16, written from samples. https://wfdb.io/spec/header-files.html, README.md has the rest."""

import struct
from collections.abc import Mapping
from typing import Final

from adapters.kit.scene import Scene
from adapters.kit.writing import STRIP_SAMPLES, Values, Writer, strip
from adapters.leads import LEADS, UNSPECIFIED
from adapters.wfdb.container import pack

GAIN, HERTZ = 200, 360
NO_SAMPLE: Final = -0x8000
"""https://wfdb.io/spec/signal-files.html: the lowest value of a format is no sample."""
SIGNALS: Final[Mapping[str, tuple[str, str]]] = {
    **{measure: (name, "mV") for name, measure in LEADS.items()},
    UNSPECIFIED: ("MLII", "mV"),
    "eeg": ("EEG Fpz-Cz", "uV"),
    "respiration-waveform": ("RESP", "NU"),
    "plethysmogram": ("PLETH", "NU"),
}
"""Measure -> how a header describes the signal, and its unit."""
UCUM: Final[Mapping[str, str]] = {"mV": "mV", "uV": "uV", "NU": "1"}


def _record(scene: Scene, values: Values) -> bytes:
    name, unit = SIGNALS[scene.sort.measure]
    text = values[""]
    samples = [NO_SAMPLE] * STRIP_SAMPLES if text is None else [int(word) for word in text.split()]
    head = f"r 1 {HERTZ} {len(samples)} {scene.at:%H:%M:%S} {scene.at:%d/%m/}{scene.at.year:04}\n"
    signal = f"r.dat 16 {GAIN}(0)/{unit} 16 0 {samples[0]} {sum(samples) % 0x10000} 0 {name}\n"
    return pack(f"{head}{signal}# simulated, nobody\n", struct.pack(f"<{len(samples)}h", *samples))


SORTS: Final = {measure: strip(measure, UCUM[unit], ("-300", "900")) for measure, (_, unit) in SIGNALS.items()}
USUAL_DAY: Final = (UNSPECIFIED, "ecg-lead-v1", "respiration-waveform")
SIMULATOR = Writer(
    sorts=[SORTS[measure] for measure in USUAL_DAY],
    more=[sort for measure, sort in SORTS.items() if measure not in USUAL_DAY],
    unit="RECORDER-{:05}",
    record=_record,
    payload=b"".join,
    sender_names_device=True,
)
