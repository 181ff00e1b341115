"""CareLink's export in English, written from measurements: a section for each pump, decimal commas. README.md has the form."""

from collections.abc import Sequence

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, sort

OWNER = ("Last Name;First Name;Patient ID", "Nobody;Simulated;sim@example.org", "")
SORTS = (
    sort("glucose-interstitial", "mg/dL"),
    sort("glucose-capillary", "mg/dL"),
    sort("insulin-basal", "[iU]/h", 2),
    sort("insulin-bolus", "[iU]", 1, ("0.5", "8.0")),
    sort("carbohydrate-intake", "g"),
)
NAMES = {
    "glucose-interstitial": "Sensor Glucose (mg/dL)",
    "glucose-capillary": "BG Reading (mg/dL)",
    "insulin-basal": "Basal Rate (U/h)",
    "insulin-bolus": "Bolus Volume Delivered (U)",
    "carbohydrate-intake": "BWZ Carb Input (grams)",
}
HEAD = ";".join(("Index", "Date", "Time", *NAMES.values()))
NO_VALUE = "--"
Row = tuple[str, str]
"""Serial number and row."""


def _row(scene: Scene, values: Values) -> Row:
    cells = dict.fromkeys(NAMES, "")
    cells[scene.sort.measure] = (values[""] or NO_VALUE).replace(".", ",")
    return scene.device, f"{scene.number};{scene.at:%Y/%m/%d;%H:%M:%S};{';'.join(cells.values())}"


def _file(rows: Sequence[Row]) -> bytes:
    lines, section = [*OWNER], ""
    for serial, row in rows:
        if serial != section:
            lines += [f"-------;MiniMed 780G;Pump;{serial};-------", HEAD]
            section = serial
        lines.append(row)
    return "".join(f"{line}\r\n" for line in lines).encode()


SIMULATOR = Writer(sorts=SORTS, unit="NG{:07}H", record=_row, payload=_file)
