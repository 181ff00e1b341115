"""LibreView's export, written from measurements: English, day first, without anybody's name. README.md has the form."""

from collections.abc import Mapping, Sequence

from adapters.kit.scene import Scene, Sort
from adapters.libreview.mapping import RECORD_TYPES

HEADER = "Device,Serial Number,Device Timestamp,Record Type,Historic Glucose mg/dL,Scan Glucose mg/dL,Strip Glucose mg/dL,Ketone mmol/L"
COLUMN_OF_VALUES = 4
ORDER = "date-order,day-first"
ROLES = ("historic", "scan", "strip", "ketone")
BELOW_RANGE = "LO"


class Simulator:
    """See adapters/kit/scene.py. Times are written to the minute, as the readers write them."""

    sorts = (
        Sort(measure="glucose-interstitial", unit="mg/dL", decimals=0, usual={"": ("70", "180")}),
        Sort(measure="glucose-capillary", unit="mg/dL", decimals=0, usual={"": ("70", "180")}),
        Sort(measure="ketone-blood", unit="mmol/L", decimals=1, usual={"": ("0.1", "1.4")}),
    )

    def device(self, number: int) -> str:
        return f"SIM-{number:08}"

    def write(self, scenes: Sequence[Scene]) -> bytes:
        return _file([_row(scene, scene.values) for scene in scenes])

    def write_absent(self, scenes: Sequence[Scene]) -> bytes:
        return _file([_row(scene, {"": BELOW_RANGE}) for scene in scenes])


def _file(rows: Sequence[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in (ORDER, HEADER, *rows)).encode()


def _row(scene: Scene, values: Mapping[str, str]) -> str:
    kind = next(row for row in RECORD_TYPES if row.measure == scene.sort.measure)
    columns = [""] * len(ROLES)
    columns[ROLES.index(kind.role)] = values[""]
    return ",".join(["FreeStyle Libre 3", scene.device, f"{scene.at:%d-%m-%Y %H:%M}", kind.code, *columns])
