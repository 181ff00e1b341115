"""A small product that passes the conformance kit, with one method for each thing that can be done wrongly."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from adapters.contract import NO_CONTEXT, Context, Manifest, Unreadable
from adapters.reading import Absent, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,8})?")
HEAD = "id;device;time;what;value"
ROWS = {"pulse": ("heart-rate", "/min"), "weight": ("body-weight", "kg"), "temperature": ("body-temperature", "Cel")}
PAYLOAD = f"""{HEAD}
r-1;U-1;2026-01-05T08:30:00+01:00;pulse;62
r-2;U-1;2026-01-05T08:31:00+01:00;weight;74.10
r-3;U-2;2026-01-06T23:59:00+01:00;temperature;36.6
""".encode()


class Good:
    """CSV of a maker who does not exist."""

    manifest = Manifest(
        name="good",
        version="1.0.0",
        product="Good",
        manufacturer="Nobody",
        media_types=("text/csv",),
        identifier_system="https://vendor.example/unit",
        measures=tuple(sorted(measure for measure, _ in ROWS.values())),
        time_kinds=("offset",),
        evidence="vendor-documentation",
    )
    simulator: Any = None

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002
        lines = self.text(payload).splitlines()
        starts = [at for at, line in enumerate(lines) if line.startswith(HEAD)]
        if not starts:
            raise Unreadable("no-header", f"A line must begin with {HEAD}.")
        return self.items(lines, starts[0])

    def text(self, payload: bytes) -> str:
        return payload.decode(errors="replace")

    def items(self, lines: list[str], head: int) -> Iterator[Item]:
        for number, line in enumerate(lines[head + 1 :], start=head + 2):
            if line.strip():
                yield self.item(lines, head, number, line)

    def item(self, lines: list[str], head: int, number: int, line: str) -> Item:
        raw = self.raw(lines, head, line)
        try:
            return self.reading(line, f"row {number}", raw)
        except ItemRefused as refused:
            return refused.item(pointer=f"row {number}", raw=raw)

    def raw(self, lines: list[str], head: int, line: str) -> bytes:  # noqa: ARG002
        return f"{HEAD}\n{line}\n".encode()

    def reading(self, line: str, pointer: str, raw: bytes) -> Reading:
        cells = next(csv.reader([line], delimiter=";"))
        if len(cells) < 5:
            raise ItemRefused("row-too-short", "A row has five cells.")
        id, device, time, what, value = (cell.strip() for cell in cells[:5])
        measure, unit = self.row(what, value)
        if not id or not device or len(id) > 256 or len(device) > 256:
            raise ItemRefused("no-identity", "A row names its record and its unit.")
        return Reading(
            measure=measure,
            device=device,
            time=self.time(time),
            value=self.value(value, unit),
            source_id=self.source_id(id, cells),
            pointer=pointer,
            raw=raw,
        )

    def source_id(self, id: str, cells: list[str]) -> str:  # noqa: ARG002
        return id

    def row(self, what: str, value: str) -> tuple[str, str]:  # noqa: ARG002
        if what not in ROWS:
            raise ItemRefused("unknown-measure", "The word for what was measured is not known.")
        return ROWS[what]

    def value(self, text: str, unit: str) -> Value:
        if not NUMBER.fullmatch(text):
            return Absent(reason="error")
        return Quantity(value=self.digits(text), unit=unit)

    def digits(self, text: str) -> str:
        return text

    def time(self, text: str) -> DeviceTime:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            instant = None
        if instant is None or instant.utcoffset() is None or not 1900 <= instant.year <= 2199:
            raise ItemRefused("time-not-readable", "The time must be ISO 8601 with its offset.")
        return DeviceTime(kind="offset", text=text, instant=instant)
