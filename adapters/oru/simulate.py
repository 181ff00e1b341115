"""A ward's ORU^R01 with LOINC codes, written from measurements: one message a measurement. README.md has the form."""

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, pressure, sort
from adapters.oru.mapping import BY_LOINC

MISSING = "X"
"""OBX-11: no result could be had (HL7 table 0085)."""
CODES = {(row.measure, row.component or ""): code for code, row in BY_LOINC.items()}


def _message(scene: Scene, values: Values) -> str:
    at = f"{scene.at:%Y%m%d%H%M%S%z}"
    head = rf"MSH|^~\&|SIM|WARD|HUB|HDS|{at}||ORU^R01^ORU_R01|SIM-{scene.number}|P|2.5.1|||||FRA|UNICODE UTF-8"
    rows = [
        f"OBX|{number}|NM|{CODES[scene.sort.measure, name]}^^LN||{value or ''}|{scene.sort.unit}|||||"
        f"{'F' if value else MISSING}|||||||{scene.device}^SIM"
        for number, (name, value) in enumerate(values.items(), start=1)
    ]
    return "\r".join((head, "PID|1||SIM||Nobody^Simulated", f"OBR|1||{scene.number}||||{at}", *rows, ""))


SIMULATOR = Writer(
    sorts=[
        sort("heart-rate", "/min"),
        sort("body-temperature", "Cel", 1),
        sort("body-weight", "kg", 2),
        sort("oxygen-saturation", "%"),
        sort("respiratory-rate", "/min"),
        sort("body-height", "cm"),
        sort("body-mass-index", "kg/m2", 1),
        sort("body-fat-percentage", "%", 1),
        sort("skin-temperature", "Cel", 1),
        sort("glucose-interstitial", "mg/dL"),
        sort("ketone-blood", "mmol/L", 1),
        sort("pulse-wave-velocity", "m/s", 1, ("5", "12")),
        sort("steps", "{steps}"),
        pressure(),
    ],
    unit="WARD-{:05}",
    record=_message,
    payload=lambda messages: "".join(messages).encode(),
)
