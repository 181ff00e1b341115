"""Frames of a cuff and of a thermometer, written from measurements as a telephone relays them. README.md has the form."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters import json_payload
from adapters.kit.scene import Scene, Sort

TIME_STAMP = 0x02
SFLOAT_NAN, FLOAT_NAN = 0x07FF, 0x007FFFFF
MANTISSA_BITS = {2: 12, 4: 24}
"""Of SFLOAT and FLOAT, by octets; the rest is the exponent, both in two's complement (ISO/IEEE 11073-20601)."""

BLOOD_PRESSURE = {"systolic": ("104", "148"), "diastolic": ("58", "92"), "mean": ("74", "110")}


class Simulator:
    """See adapters/kit/scene.py."""

    sorts = (
        Sort(measure="blood-pressure", unit="mm[Hg]", decimals=0, usual=BLOOD_PRESSURE),
        Sort(measure="body-temperature", unit="Cel", decimals=1, usual={"": ("36.1", "37.9")}),
    )

    def device(self, number: int) -> str:
        """EUI-64 with a locally administered prefix."""
        digits = f"02005EFFFE{number:06X}"
        return "-".join(digits[at : at + 2] for at in range(0, len(digits), 2))

    def write(self, scenes: Sequence[Scene]) -> bytes:
        return _frames([_frame(scene, scene.values) for scene in scenes])

    def write_absent(self, scenes: Sequence[Scene]) -> bytes:
        """A cuff in error sends NaN three times."""
        return _frames([_frame(scene, dict.fromkeys(scene.values)) for scene in scenes])


def _frames(frames: Sequence[Mapping[str, Any]]) -> bytes:
    return json_payload.dumps({"frames": frames})


def _frame(scene: Scene, values: Mapping[str, str | None]) -> Mapping[str, Any]:
    name, octets = ("2A35", 2) if scene.sort.measure == "blood-pressure" else ("2A1C", 4)
    numbers = b"".join(_number(values[part], octets) for part in scene.sort.usual)
    return {
        "characteristic": name,
        "hex": (bytes((TIME_STAMP,)) + numbers + _date_time(scene.at)).hex().upper(),
        "receivedAt": scene.at.isoformat(),
        "deviceInfo": {"systemId": scene.device.replace("-", "")},
    }


def _number(text: str | None, octets: int) -> bytes:
    if text is None:
        return (SFLOAT_NAN if octets == 2 else FLOAT_NAN).to_bytes(octets, "little")  # noqa: PLR2004 - SFLOAT has two
    whole, _, fraction = text.partition(".")
    bits = MANTISSA_BITS[octets]
    exponent = -len(fraction) % (1 << (octets * 8 - bits))
    return (exponent << bits | int(whole + fraction)).to_bytes(octets, "little")


def _date_time(at: datetime) -> bytes:
    return at.year.to_bytes(2, "little") + bytes((at.month, at.day, at.hour, at.minute, at.second))
