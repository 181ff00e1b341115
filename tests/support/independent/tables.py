"""Exports as CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from tests.support.independent.said import Said, at, loinc, quantity

_LIBRE_HISTORIC = "0"
_ATC = "http://www.whocc.no/atc"
_INSULIN = {"Fast-Acting": f"{_ATC}|A10AB", "Long-Acting": f"{_ATC}|A10AE"}


def libreview(payload: bytes) -> Iterator[Said]:
    """https://www.libreview.com, "Download glucose data": type 0 is a value of the history; the day comes before the month."""
    lines = payload.decode().splitlines()[1:]
    for row in csv.DictReader(lines):
        assert row["Record Type"] == _LIBRE_HISTORIC
        when = datetime.strptime(row["Device Timestamp"], "%d-%m-%Y %H:%M")  # noqa: DTZ007 -- a wall clock
        value = quantity(row["Historic Glucose mg/dL"], "mg/dL")
        yield Said(code=loinc("99504-3"), value=value, start=at(when), device=row["Serial Number"])


def clarity(payload: bytes) -> Iterator[Said]:
    """https://clarity.dexcom.com, export as CSV: a row with a timestamp is an event, EGV or insulin that a person wrote down."""
    columns, *rows = csv.reader(io.StringIO(payload.decode("utf-8-sig")))
    place = {name.split(" (")[0]: number for number, name in enumerate(columns)}
    for row in rows:
        when = row[place["Timestamp"]]
        if not when:
            continue
        if row[place["Event Type"]] == "EGV":
            value = quantity(row[place["Glucose Value"]], "mg/dL")
            yield Said(code=loinc("99504-3"), value=value, start=at(when), device=row[place["Transmitter ID"]])
            continue
        assert row[place["Event Type"]] == "Insulin"
        code = _INSULIN[row[place["Event Subtype"]]]
        yield Said(code=code, value=quantity(row[place["Insulin Value"]], "[iU]"), start=at(when), manual=True)
