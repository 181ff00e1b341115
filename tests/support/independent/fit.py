"""Garmin FIT, octet by octet."""

from collections.abc import Iterator

from tests.support.independent.said import Said, epoch, loinc, quantity

_EPOCH = 631_065_600
"""1989-12-31T00:00:00Z, from which FIT counts seconds."""
_FILE_ID, _WEIGHT_SCALE, _MONITORING, _MONITORING_INFO = 0, 30, 55, 103
_TIMESTAMP = 253
_STEPPING = {6: "walking", 1: "running"}

Message = tuple[int, dict[int, int]]


def fit(payload: bytes) -> Iterator[Said]:
    """https://developer.garmin.com/fit/protocol/ and the profile of its SDK.

    weight_scale has weight and percent_fat in hundredths. The cycles of monitoring are steps where the activity is walking (6) or running
    (1); they run on from the beginning that monitoring_info states, so that the last message of an activity has the sum. The unit is
    maker and serial number of file_id.
    """
    device, begun, sums = "", 0, {}
    for number, fields in _messages(payload):
        if number == _FILE_ID:
            device = f"{fields[1]}-{fields[3]}"
        if number == _MONITORING_INFO:
            begun = fields[_TIMESTAMP]
        if number == _MONITORING and fields.get(5) in _STEPPING and 3 in fields and _TIMESTAMP in fields:
            sums[fields[5]] = (fields[3], fields[_TIMESTAMP])
        if number == _WEIGHT_SCALE:
            place = {"start": epoch(fields[_TIMESTAMP] + _EPOCH), "device": device, "which": "weight_scale"}
            yield Said(code=loinc("29463-7"), value=quantity(_hundredths(fields[0]), "kg"), **place)
            yield Said(code=loinc("41982-0"), value=quantity(_hundredths(fields[1]), "%"), **place)
    for activity, (steps, until) in sums.items():
        place = {"start": epoch(begun + _EPOCH), "end": epoch(until + _EPOCH), "device": device}
        yield Said(code=loinc("55423-8"), value=quantity(steps, "{steps}"), which=f"steps:{_STEPPING[activity]}", **place)


def _messages(payload: bytes) -> Iterator[Message]:
    """A definition message says number, size and type of each field of the data messages of its local number."""
    place, end = payload[0], payload[0] + int.from_bytes(payload[4:8], "little")
    known: dict[int, tuple[int, str, list[tuple[int, int]]]] = {}
    while place < end:
        head = payload[place]
        place += 1
        if head & 0x40 and not head & 0x80:
            order = "big" if payload[place + 1] else "little"
            number = int.from_bytes(payload[place + 2 : place + 4], order)  # type: ignore[arg-type]
            count = payload[place + 4]
            fields = [(payload[place + 5 + 3 * one], payload[place + 6 + 3 * one]) for one in range(count)]
            known[head & 0x0F] = (number, order, fields)
            place += 5 + 3 * count
            continue
        number, order, fields = known[(head >> 5) & 0x03 if head & 0x80 else head & 0x0F]
        values = {}
        for name, size in fields:
            values[name] = int.from_bytes(payload[place : place + size], order)  # type: ignore[arg-type]
            place += size
        yield number, values


def _hundredths(number: int) -> str:
    return f"{number // 100}.{number % 100:02}"
