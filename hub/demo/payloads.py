"""Measurements written as the vendors write them, for the adapters to read."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from hub.demo.signals import PARIS, ZONE, Glucose, Pressure, Weighing

WITHINGS_SENT_AFTER_S: Final = 21
_CHARACTERISTIC: Final = "2A35"
_TIME_STAMP, _PULSE_RATE, _STATUS = 0x02, 0x04, 0x10
_IRREGULAR_PULSE: Final = 0x0004
_SFLOAT_MANTISSA_BITS: Final = 12

LIBREVIEW_PREAMBLE: Final = "Données du glucose,Généré le,{generated} UTC,Généré par,Personne Fictive"
LIBREVIEW_ORDER: Final = "date-order,day-first"
"""A few days of one month cannot prove that the day comes first; the sender says it (adapters/libreview/README.md)."""
LIBREVIEW_HEADER: Final = (
    "Appareil,Numéro de série,Horodatage de l'appareil,Type d'enregistrement,Historique de la glycémie mg/dL,"
    "Numérisation de la glycémie mg/dL,Glycémie par bandelette mg/dL,Cétone mmol/L"
)


def withings_weights(device: str, measured: Iterable[Weighing]) -> bytes:
    """Getmeas: types 1 and 6, in grams and in tenths of a per cent."""
    groups = (_group(device, one.at, "Body+", [_measure(1, one.weight_g, -3), _measure(6, one.fat_per_mille, -1)]) for one in measured)
    return _getmeas(groups)


def withings_pressures(device: str, measured: Iterable[Pressure]) -> bytes:
    """Getmeas: types 9, 10 and 11."""
    return _getmeas(
        _group(device, one.at, "BPM Connect", [_measure(9, one.diastolic, 0), _measure(10, one.systolic, 0), _measure(11, one.pulse, 0)])
        for one in measured
    )


def libreview(serial: str, measured: Sequence[Glucose]) -> bytes:
    """The export in French: local times to the minute, no zone, rows not in the order of time."""
    latest = max((one.at for one in measured), default=None)
    generated = "" if latest is None else f"{latest:%d-%m-%Y %H:%M}"
    lines = [LIBREVIEW_PREAMBLE.format(generated=generated), LIBREVIEW_ORDER, LIBREVIEW_HEADER]
    lines += (_row(serial, one) for one in measured)
    return "".join(f"{line}\r\n" for line in lines).encode()


def gatt(system_id: str, measured: Iterable[Pressure]) -> bytes:
    """Blood Pressure Measurement frames as a telephone passes them on."""
    info = {"systemId": system_id, "manufacturerName": "Brassard de démonstration", "modelNumber": "BD-1"}
    frames = [
        {
            "characteristic": _CHARACTERISTIC,
            "hex": blood_pressure_frame(one).hex().upper(),
            "receivedAt": one.at.astimezone(PARIS).isoformat(),
            "deviceInfo": info,
        }
        for one in measured
    ]
    return orjson.dumps({"frames": frames})


def blood_pressure_frame(one: Pressure) -> bytes:
    """2A35 in mm[Hg] with time stamp, pulse and status; numbers as SFLOAT. https://www.bluetooth.com/specifications/gss/"""
    wall = one.at.astimezone(PARIS)
    mean = round(one.diastolic + (one.systolic - one.diastolic) / 3)
    return b"".join(
        (
            bytes((_TIME_STAMP | _PULSE_RATE | _STATUS,)),
            *(_sfloat(number) for number in (one.systolic, one.diastolic, mean)),
            wall.year.to_bytes(2, "little"),
            bytes((wall.month, wall.day, wall.hour, wall.minute, wall.second)),
            _sfloat(one.pulse),
            (_IRREGULAR_PULSE if one.irregular else 0).to_bytes(2, "little"),
        )
    )


def _sfloat(number: int) -> bytes:
    """A whole number with exponent 0 (ISO/IEEE 11073-20601)."""
    if not 0 <= number < 1 << (_SFLOAT_MANTISSA_BITS - 1):
        raise ValueError("does not fit into an SFLOAT with exponent 0")
    return number.to_bytes(2, "little")


def _getmeas(groups: Iterable[dict[str, Any]]) -> bytes:
    made = list(groups)
    latest = max((group["created"] for group in made), default=0)
    return orjson.dumps({"status": 0, "body": {"updatetime": latest, "timezone": ZONE, "measuregrps": made[::-1]}})


def _group(device: str, at: datetime, model: str, measures: list[dict[str, int]]) -> dict[str, Any]:
    """`grpid` counts in seconds: no device of the demo measures twice in one."""
    epoch_s = int(at.timestamp())
    sent_s = epoch_s + WITHINGS_SENT_AFTER_S
    return {
        "grpid": epoch_s,
        "attrib": 0,
        "date": epoch_s,
        "created": sent_s,
        "modified": sent_s,
        "category": 1,
        "deviceid": device,
        "hash_deviceid": device,
        "measures": measures,
        "model": model,
        "comment": None,
    }


def _measure(type: int, value: int, unit: int) -> dict[str, int]:
    return {"value": value, "type": type, "unit": unit}


def _row(serial: str, one: Glucose) -> str:
    wall = f"{one.at.astimezone(PARIS):%d-%m-%Y %H:%M}"
    historic, scan = ("", one.mg_dl) if one.scan else (one.mg_dl, "")
    return f"FreeStyle Libre 3,{serial},{wall},{int(one.scan)},{historic},{scan},,"
