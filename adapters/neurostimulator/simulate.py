"""Reports of a programmer, written from measurements: a session for each. mapping.yaml has the form."""

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, sort

NAMES = {
    "neurostimulation-amplitude": ("amplitude", "mA"),
    "neurostimulation-pulse-width": ("pulseWidth", "us"),
    "neurostimulation-frequency": ("frequency", "Hz"),
    "neurostimulator-battery": ("battery", "%"),
}
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<r:Report xmlns:r="urn:example:report" version="1">\n'
NO_VALUE = "---"


def _session(scene: Scene, values: Values) -> str:
    name, unit = NAMES[scene.sort.measure]
    return (
        f' <r:Session id="S-{scene.number}" implantSerial="{scene.device}" interrogated="{scene.at.isoformat()}" operator="Nobody">\n'
        f'  <r:Parameter name="{name}" lead="L" unit="{unit}">{values[""] or NO_VALUE}</r:Parameter>\n </r:Session>\n'
    )


SIMULATOR = Writer(
    sorts=[
        sort("neurostimulation-amplitude", "mA", 2, ("0.5", "4.5")),
        sort("neurostimulation-pulse-width", "us", 0, ("30", "120")),
        sort("neurostimulation-frequency", "Hz", 0, ("60", "180")),
        sort("neurostimulator-battery", "%", 0, ("20", "99")),
    ],
    unit="NS-{:05}",
    record=_session,
    payload=lambda sessions: f"{HEAD}{''.join(sessions)}</r:Report>\n".encode(),
)
