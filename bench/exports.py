"""python -m bench.exports: an export of Apple Health of any size, made as it is read.

Readings per second and memory, beside the bare parser.

Nothing is written to disk, and no two records share a time, so that no cache helps that would not help a real file.
"""

import argparse
import resource
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from time import process_time
from xml.parsers import expat

from adapters.apple_health import adapter

GIGABYTES_DEFAULT = 2.0
SHARE = 0.02
"""Of the size: what making the file and the bare parser are measured with; both take the same time for each byte."""
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData (Record*)>\n]>\n<HealthData locale="fr_FR">\n'
TAIL = b"</HealthData>\n"
DEVICE = "&lt;&lt;HKDevice: 0x{0:x}&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,7, software:11.1&gt;"
RECORD = (
    ' <Record type="HKQuantityTypeIdentifier{type}" sourceName="Apple Watch" sourceVersion="11.1" device="{device}" unit="{unit}" '
    'creationDate="{end} +0100" startDate="{start} +0100" endDate="{end} +0100" value="{value}">\n'
    '  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="0"/>\n </Record>\n'
)
KINDS = (("HeartRate", "count/min", "6{0}"), ("StepCount", "count", "1{0}"), ("ActiveEnergyBurned", "kcal", "0.1{0}"))
BEGAN = datetime(2015, 1, 1)  # noqa: DTZ001 - written with its offset


class Export:
    """A file that is made while it is read."""

    def __init__(self, size: int) -> None:
        self._pieces, self._left = self._made(size), b""

    def read(self, size: int, /) -> bytes:
        while len(self._left) < size and (piece := next(self._pieces, b"")):
            self._left += piece
        given, self._left = self._left[:size], self._left[size:]
        return given

    @staticmethod
    def _made(size: int) -> Iterator[bytes]:
        made, number = len(HEAD), 0
        yield HEAD
        while made < size:
            records = []
            for _ in range(100):
                type, unit, value = KINDS[number % len(KINDS)]
                start = BEGAN + timedelta(seconds=7 * number)
                times = {"start": start.isoformat(" "), "end": (start + timedelta(seconds=5 * (number % 2))).isoformat(" ")}
                records.append(RECORD.format(type=type, unit=unit, device=DEVICE.format(number), value=value.format(number % 10), **times))
                number += 1
            piece = "".join(records).encode()
            made += len(piece)
            yield piece
        yield TAIL


def memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bare(size: int) -> float:
    """Seconds of the parser alone, with handlers that do nothing."""
    parser, export, began = expat.ParserCreate("UTF-8"), Export(size), process_time()
    parser.StartElementHandler = lambda _name, _attributes: None
    while piece := export.read(64 * 1024):
        parser.Parse(piece, False)
    parser.Parse(b"", True)
    return process_time() - began


def making(size: int) -> float:
    """Seconds of making the file, which is no part of either."""
    export, began = Export(size), process_time()
    while export.read(64 * 1024):
        pass
    return process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=GIGABYTES_DEFAULT)
    size = int(parser.parse_args().gigabytes * 1e9)
    part, before = int(size * SHARE), memory_mib()
    making(part)  # once before it counts
    made, floor = making(part) / SHARE, bare(part) / SHARE
    began = process_time()
    counted = Counter(type(item).__name__ for item in adapter.decode_stream(Export(size)))
    seconds, readings = process_time() - began - made, counted["Reading"]
    print(f"{size / 1e9:.2f} GB, {readings:,} readings, {counted['Rejected']:,} refused")
    print(f"decode_stream: {readings / seconds:,.0f} readings/s, {size / 1e6 / seconds:.0f} MB/s of processor time")
    print(f"floor, expat alone: {readings / (floor - made):,.0f} records/s, {size / 1e6 / (floor - made):.0f} MB/s")
    print(f"memory: {before:.0f} MiB before, {memory_mib():.0f} MiB at most")


if __name__ == "__main__":
    main()
