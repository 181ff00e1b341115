"""An interrogation of an implant as PCD-09, written from measurements: one message a measurement. README.md has the form."""

from typing import Final

from adapters.hl7v2.write import besides, rows
from adapters.idco.mapping import MEASURES
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, sort

PROFILE = "IHE_PCD_009^IHE PCD^1.3.6.1.4.1.19376.1.6.1.9.1^ISO"


def _message(scene: Scene, values: Values) -> str:
    at = f"{scene.at:%Y%m%d%H%M%S%z}"
    maker, _, unit = scene.device.partition("/")
    head = rf"MSH|^~\&|MAKER|CLINIC|HUB|HDS|{at}||ORU^R01^ORU_R01|SIM-{scene.number}|P|2.6|||AL|NE||UNICODE UTF-8|||{PROFILE}"
    results = rows(scene, values, first=1, node="1")
    person = f"PID|1||SIM^^^CLINIC^PI~{unit}^^^{maker}^U||Nobody^Simulated"
    return "\r".join((head, person, f"OBR|1||{scene.number}||||{at}", *results, ""))


SORTS: Final = [
    sort("cied-battery-voltage", "V", 2, ("2.6", "3.2")),
    sort("cied-battery-longevity", "mo", 0, ("12", "120")),
    sort("cied-ra-impedance", "Ohm", 0, ("300", "900")),
]
SIMULATOR = Writer(
    sorts=SORTS,
    more=besides(MEASURES, SORTS),
    unit="SIM/MODEL:S1/SERIAL:PZC{:06}S",
    record=_message,
    payload=lambda messages: "".join(messages).encode(),
)
