"""An encoder of WFDB records for tests, written from the specification alone and sharing nothing with the adapter.

https://wfdb.io/spec/header-files.html, https://wfdb.io/spec/signal-files.html
"""

import io
import zipfile
from collections.abc import Sequence

COMMENT = "# 35 F, Ada Lovelace, digoxin"


def encoded(format: int, samples: Sequence[int]) -> bytes:
    """Samples in the order of the file: that of the signals, frame by frame."""
    if format == 16:
        return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    if format == 80:
        return bytes(sample + 128 for sample in samples)
    made = bytearray()
    for place in range(0, len(samples), 2):
        first = samples[place] & 0xFFF
        second = samples[place + 1] & 0xFFF if place + 1 < len(samples) else 0
        made += bytes([first & 0xFF, first >> 8 | second >> 8 << 4, second & 0xFF])
    return bytes(made[:-1] if len(samples) % 2 else made)


def zipped(**files: bytes | str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("_dot_", "."), (2024, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def record(
    *signals: tuple[str, Sequence[int]],
    format: int = 212,
    gain: str = "200(1024)/mV",
    when: str = " 09:30:15.5 02/03/2024",
    checksum: int | None = None,
    frequency: str = "360",
) -> bytes:
    """A record whose signals lie interleaved in one file."""
    count = len(signals[0][1])
    lines = [f"rec {len(signals)} {frequency} {count}{when}"]
    for name, samples in signals:
        lines.append(f"rec.dat {format} {gain} 11 1024 {samples[0]} {sum(samples) % 65536 if checksum is None else checksum} 0 {name}")
    frames = [samples[place] for place in range(count) for _, samples in signals]
    return zipped(rec_dot_hea="\n".join([*lines, COMMENT, ""]), rec_dot_dat=encoded(format, frames))
