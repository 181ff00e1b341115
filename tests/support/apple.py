"""An export of Apple Health of so many heart beats a minute, each at a time of its own."""

from collections.abc import Iterator
from datetime import datetime, timedelta

HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="fr_FR">\n'
TAIL = b"</HealthData>\n"
BEGAN = datetime(2024, 1, 1)  # noqa: DTZ001 - written with its offset


def record(number: int) -> bytes:
    at = f"{BEGAN + timedelta(seconds=7 * number)} +0100"
    said = f'sourceName="Watch" unit="count/min" creationDate="{at}" startDate="{at}" endDate="{at}" value="{60 + number % 40}"'
    return f'<Record type="HKQuantityTypeIdentifierHeartRate" {said}/>\n'.encode()


def pieces(count: int) -> Iterator[bytes]:
    """The export as it is sent in pieces."""
    yield HEAD
    for start in range(0, count, 100):
        yield b"".join(record(number) for number in range(start, min(start + 100, count)))
    yield TAIL


def export(count: int) -> bytes:
    return b"".join(pieces(count))
