"""Clarity's export in English, written from measurements; above the rows the names of nobody. README.md has the form."""

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, sort

HEAD = "Index,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Event Subtype,Patient Info,Device Info,Glucose Value (mg/dL),Transmitter ID"
PREAMBLE = ("1,,FirstName,,Simulated,,,", "2,,LastName,,Nobody,,,")
EVENTS = {"glucose-interstitial": "EGV", "glucose-capillary": "Calibration"}
BELOW_RANGE = "Low"


def _row(scene: Scene, values: Values) -> str:
    event, glucose = EVENTS[scene.sort.measure], values[""] or BELOW_RANGE
    return f"{scene.number + 3},{scene.at:%Y-%m-%dT%H:%M:%S},{event},,,,{glucose},{scene.device}"


SIMULATOR = Writer(
    sorts=[sort(measure, "mg/dL") for measure in EVENTS],
    unit="TX-{:06}",
    record=_row,
    payload=lambda rows: "".join(f"{line}\r\n" for line in (HEAD, *PREAMBLE, *rows)).encode(),
)
