"""The logger's table, written from measurements: one logger a file, decimal commas. mapping.yaml has the form."""

from collections.abc import Sequence

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, pressure, sort

COLUMNS = ("heart-rate-ecg", "skin-temperature", "respiratory-rate")
HEAD = "timestamp;utc_offset_min;channel;seq;hr;temp;resp;value"
NO_VALUE = "NaN"


def _rows(scene: Scene, values: Values) -> tuple[str, str]:
    offset = scene.at.utcoffset()
    time = f"{scene.at:%Y-%m-%d %H:%M:%S};{int(offset.total_seconds()) // 60 if offset else 0}"
    texts = {name: (value or NO_VALUE).replace(".", ",") for name, value in values.items()}
    if "systolic" in texts:
        parts = (("cuff-sys", texts["systolic"]), ("cuff-dia", texts["diastolic"]))
        return scene.device, "".join(f"{time};{channel};{scene.number};;;;{text}\r\n" for channel, text in parts)
    cells = [texts[""] if column == scene.sort.measure else "" for column in COLUMNS]
    return scene.device, f"{time};wear;;{';'.join(cells)};\r\n"


def _file(rows: Sequence[tuple[str, str]]) -> bytes:
    head = (f"logger;{rows[0][0] if rows else ''}", "wearer;Simulated Nobody", HEAD, "")
    return ("\r\n".join(head) + "".join(text for _, text in rows)).encode()


SIMULATOR = Writer(
    sorts=[
        sort("heart-rate-ecg", "/min"),
        sort("skin-temperature", "Cel", 1),
        sort("respiratory-rate", "/min", 1),
        pressure(),
    ],
    unit="TX-{:05}",
    record=_rows,
    payload=_file,
    one_unit=True,
)
