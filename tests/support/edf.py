"""An encoder of EDF and BDF for tests, written from the specification alone and sharing nothing with the adapter.

https://www.edfplus.info/specs/edf.html, https://www.edfplus.info/specs/edfplus.html
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

PATIENT = "MCH-0234567 F 10-DEC-1815 Ada_Lovelace"
RECORDING = "Startdate 02-MAR-2024 PSG-1234 ada@example.org Telefunken"


@dataclass(frozen=True, kw_only=True)
class Signal:
    """`records`: the samples of each data record; bytes are taken as they are (annotations)."""

    label: str
    records: Sequence[Sequence[int] | bytes]
    unit: str = "uV"
    physical: tuple[str, str] = ("-3276.8", "3276.7")
    digital: tuple[str, str] = ("-32768", "32767")
    reserved: str = ""


@dataclass(frozen=True, kw_only=True)
class File:
    signals: Sequence[Signal]
    seconds: str = "1"
    reserved: str = ""
    patient: str = PATIENT
    recording: str = RECORDING
    date: str = "02.03.24"
    time: str = "23.15.30"
    wide: bool = False
    records: int | None = None
    head: bytes = field(default=b"")

    def __bytes__(self) -> bytes:
        width = 3 if self.wide else 2
        blocks = [[_block(one, width) for one in signal.records] for signal in self.signals]
        count = len(blocks[0]) if self.records is None else self.records
        fixed = _text(self.patient, 80) + _text(self.recording, 80) + _text(self.date, 8) + _text(self.time, 8)
        fixed += _text(str(256 * (1 + len(self.signals))), 8) + _text(self.reserved, 44) + _text(str(count), 8)
        fixed += _text(self.seconds, 8) + _text(str(len(self.signals)), 4)
        columns = [
            [_text(one.label, 16) for one in self.signals],
            [_text("AgAgCl electrode", 80) for _ in self.signals],
            [_text(one.unit, 8) for one in self.signals],
            [_text(one.physical[0], 8) for one in self.signals],
            [_text(one.physical[1], 8) for one in self.signals],
            [_text(one.digital[0], 8) for one in self.signals],
            [_text(one.digital[1], 8) for one in self.signals],
            [_text("HP:0.1Hz LP:75Hz", 80) for _ in self.signals],
            [_text(str(len(of[0]) // width if of else 1), 8) for of in blocks],
            [_text(one.reserved, 32) for one in self.signals],
        ]
        version = b"\xffBIOSEMI" if self.wide else b"0       "
        data = b"".join(of[record] for record in range(len(blocks[0])) for of in blocks)
        return version + fixed + b"".join(b"".join(column) for column in columns) + data


def tal(*entries: tuple[str, str | None, str], record: str = "+0", length: int = 64) -> bytes:
    """The annotations of one record, padded to `length` bytes: (onset, duration, text)."""
    made = f"{record}\x14\x14\x00"
    for onset, duration, text in entries:
        made += onset + ("" if duration is None else f"\x15{duration}") + f"\x14{text}\x14\x00"
    return made.encode().ljust(length, b"\x00")


def _text(text: str, width: int) -> bytes:
    return text.encode("latin-1").ljust(width)[:width]


def _block(samples: Sequence[int] | bytes, width: int) -> bytes:
    if isinstance(samples, bytes):
        return samples
    return b"".join(sample.to_bytes(width, "little", signed=True) for sample in samples)
