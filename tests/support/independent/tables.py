"""Exports as CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, Final

from tests.support.independent.said import OURS, Said, absent, at, coded, loinc, mdc, ours, quantity, strip

_ATC: Final = "http://www.whocc.no/atc"
_RAPID, _LONG, _INSULIN = f"{_ATC}|A10AB", f"{_ATC}|A10AE", f"{_ATC}|A10A"
_OF_A_SENSOR: Final = {"mg/dL": loinc("99504-3"), "mmol/L": loinc("105272-9")}
_OF_A_STRIP: Final = {"mg/dL": loinc("2339-0"), "mmol/L": loinc("15074-8")}
_KETONE: Final = {"mmol/L": loinc("53061-8")}
_LIBRE: Final = {
    "0": (("Historic Glucose", "Historique de la glyc"),),
    "1": (("Scan Glucose", "Num\u00e9risation de la glyc"),),
    "2": (("Strip Glucose", "Glyc\u00e9mie par bandelette"),),
    "3": (("Ketone", "C\u00e9tone"),),
    "4": (("Rapid-Acting Insulin (",), ("Long-Acting Insulin Value",)),
    "5": (("Carbohydrates (grams",),),
}
_LIBRE_GLUCOSE: Final = {"0": _OF_A_SENSOR, "1": _OF_A_SENSOR, "2": _OF_A_STRIP, "3": _KETONE}
_BEYOND: Final = ("LO", "HI", "\u00c9lev\u00e9", "Low", "High")


def libreview(payload: bytes) -> Iterator[Said]:
    """https://www.libreview.com, "Download glucose data", in the language of the account; the day comes before the month.

    By the type of the record: 0 history and 1 scan of the sensor, 2 strip, 3 ketone, 4 insulin, 5 food, each in columns of its own, whose
    titles end with the unit. A word in place of a number says that the value lies beyond what the sensor shows; it has no unit, so that the
    code of the mass speaks.
    """
    text = _decoded(payload)
    _, columns, *rows = csv.reader(io.StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ",")
    for row in rows:
        _, serial, when, kind, *_ = row
        place = {"start": at(datetime.strptime(when.replace("/", "-"), "%d-%m-%Y %H:%M")), "device": serial}  # noqa: DTZ007 -- a wall clock
        given = [(title, cell.replace(",", ".")) for title, cell in zip(columns, row, strict=False) if cell and _is_of(kind, title)]
        yield from (_libre(kind, title, cell, place) for title, cell in given)
        if not given:
            yield Said(code=f"libreview|{kind}", **place)


def _libre(kind: str, title: str, cell: str, place: dict[str, Any]) -> Said:
    if kind == "4":
        return Said(code=_LONG if title.startswith("Long") else _RAPID, value=quantity(cell, "[iU]"), manual=True, **place)
    if kind == "5":
        return Said(code=loinc("9059-7"), value=quantity(cell, "g"), manual=True, **place)
    unit = title.rpartition(" ")[2]
    if cell in _BEYOND:
        return Said(code=loinc("99504-3"), value=absent("unsupported"), **place)
    return Said(code=_LIBRE_GLUCOSE[kind][unit], value=quantity(cell, unit), **place)


def _is_of(kind: str, title: str) -> bool:
    return any(title.startswith(begin) for begins in _LIBRE[kind] for begin in begins)


def clarity(payload: bytes) -> Iterator[Said]:
    """https://clarity.dexcom.com, export as CSV: a row with a timestamp is an event, of the transmitter (EGV) or a person."""
    columns, *rows = csv.reader(io.StringIO(payload.decode("utf-8-sig")))
    names = [name.split(" (")[0] for name in columns]
    for row in rows:
        told = dict(zip_longest(names, row, fillvalue=""))
        if told["Timestamp"]:
            yield _clarity(told, at(told["Timestamp"]))


def _clarity(told: dict[str, str], start: str) -> Said:
    sensor = told["Transmitter ID"]
    match told["Event Type"]:
        case "EGV" if told["Glucose Value"] in _BEYOND:
            return Said(code=loinc("99504-3"), value=absent("unsupported"), start=start, device=sensor)
        case "EGV":
            return Said(code=loinc("99504-3"), value=quantity(told["Glucose Value"], "mg/dL"), start=start, device=sensor)
        case "Calibration":
            return Said(code=loinc("2339-0"), value=quantity(told["Glucose Value"], "mg/dL"), start=start, device=sensor, manual=True)
        case "Insulin":
            code = {"Fast-Acting": _RAPID, "Long-Acting": _LONG}[told["Event Subtype"]]
            return Said(code=code, value=quantity(told["Insulin Value"], "[iU]"), start=start, manual=True)
        case "Carbs":
            return Said(code=loinc("9059-7"), value=quantity(told["Carb Value"], "g"), start=start, manual=True)
        case other:
            return Said(code=f"clarity|{other}", start=start)


_CARELINK_EVENTS: Final = {
    "Rewind": ("insulin-pump-event", {"Rewind": "reservoir-change"}),
    "Suspend": ("insulin-delivery-mode", {"NORMAL_PUMPING": "resumed", "USER_SUSPEND": "suspended"}),
    "Alarm": ("insulin-pump-event", {}),
}
_CARELINK_AMOUNTS: Final = {
    "BG Reading (mg/dL)": (loinc("2339-0"), "mg/dL", False),
    "Basal Rate (U/h)": (_INSULIN, "[iU]/h", False),
    "Bolus Volume Delivered (U)": (_INSULIN, "[iU]", False),
    "BWZ Carb Input (grams)": (loinc("9059-7"), "g", True),
    "Sensor Calibration BG (mg/dL)": (loinc("2339-0"), "mg/dL", True),
    "Sensor Glucose (mg/dL)": (loinc("99504-3"), "mg/dL", False),
}


def carelink(payload: bytes) -> Iterator[Said]:
    """https://carelink.minimed.eu, "Data export (CSV)": sections by device, whose rows have a date, a time and what happened then.

    Numbers have the account's decimal sign. What was delivered counts, not what was selected; the calculator's carbohydrates and a sensor's
    calibration were entered. The word of an alarm is the pump's own.
    """
    serial, columns = "", []
    for row in csv.reader(io.StringIO(payload.decode("utf-8-sig")), delimiter=";"):
        if row[:1] == ["-------"]:
            serial, columns = row[3], []
        elif serial and not columns:
            columns = row
        elif columns and row:
            yield from _carelink({name: cell for name, cell in zip(columns, row, strict=False) if cell}, serial)


def _carelink(told: dict[str, str], serial: str) -> Iterator[Said]:
    place = {"start": at(datetime.strptime(f"{told['Date']} {told['Time']}", "%Y/%m/%d %H:%M:%S")), "device": serial}  # noqa: DTZ007
    for name, (measure, codes) in _CARELINK_EVENTS.items():
        if name in told:
            yield Said(code=ours(measure), value=coded(f"{OURS}/{measure}", codes.get(told[name], "alarm-other")), **place)
    for name, (code, unit, manual) in _CARELINK_AMOUNTS.items():
        if name in told:
            yield Said(code=code, value=quantity(told[name].replace(",", "."), unit), manual=manual, **place)
    if "Prime Type" in told:
        yield Said(code="carelink|prime", **place)


_RHYTHMS: Final = {"Sinus Rhythm": "sinus-rhythm", "Fibrillation auriculaire": "atrial-fibrillation"}


def apple_ecg(payload: bytes) -> Iterator[Said]:
    """https://support.apple.com/HT208955, the electrocardiograms of a Health export: ten titles, then microvolt of lead I line by line.

    The titles stand in the phone's language and a fixed order: date third, classification fourth, samples a second eighth. The end is
    exact to the millisecond, half of what lies between two samples.
    """
    lines = payload.decode("utf-8-sig").splitlines()
    titles = [row[1] if len(row) > 1 else "" for row in csv.reader(line for line in lines[:12])]
    numbers = [line.replace(",", ".") for line in lines if line and line.lstrip("-")[0].isdigit()]
    begun, rhythm, rate = datetime.strptime(titles[2], "%Y-%m-%d %H:%M:%S %z"), titles[3], float(titles[7].split()[0].replace(",", "."))
    value = strip(" ".join(numbers), period=str(1000 / rate), origin="0", factor="1", unit="uV")
    end = begun + timedelta(milliseconds=round(len(numbers) / rate * 1000))
    yield Said(code=mdc("131329"), value=value, start=at(begun), end=at(end))
    yield Said(code=loinc("8601-7"), value=coded(f"{OURS}/ecg-classification", _RHYTHMS[rhythm]), start=at(begun))


def _decoded(payload: bytes) -> str:
    try:
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        return payload.decode("cp1252")
