"""The table of the ring's app, written from measurements: one ring a file. mapping.yaml has the form."""

from collections.abc import Sequence

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, sort

HEAD = "Date;Time;End;Metric;Value;Unit;Note"
METRICS = {
    "heart-rate": ("Heart rate", "bpm"),
    "oxygen-saturation": ("SpO2", "%"),
    "skin-temperature": ("Temperature", "°C"),
    "heart-rate-variability-rmssd": ("HRV (RMSSD)", "ms"),
}
NO_VALUE = "--"


def _row(scene: Scene, values: Values) -> tuple[str, str]:
    metric, unit = METRICS[scene.sort.measure]
    return scene.device, f"{scene.at:%d/%m/%Y;%H:%M:%S};;{metric};{(values[''] or NO_VALUE).replace('.', ',')};{unit};"


def _file(rows: Sequence[tuple[str, str]]) -> bytes:
    head = ("Owner;Simulated Nobody", f"Ring serial;{rows[0][0] if rows else ''}", HEAD)
    return "".join(f"{line}\r\n" for line in (*head, *(row for _, row in rows))).encode()


SIMULATOR = Writer(
    sorts=[
        sort("heart-rate", "/min"),
        sort("oxygen-saturation", "%", 1),
        sort("skin-temperature", "Cel", 2),
        sort("heart-rate-variability-rmssd", "ms", 1, ("20", "90")),
    ],
    unit="CR2-{:05}",
    record=_row,
    payload=_file,
    one_unit=True,
)
