"""An interrogation of an implant as PCD-09, written from measurements: one message a measurement. README.md has the form."""

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, sort

CODES = {
    "cied-battery-voltage": "721344^MDC_IDC_MSMT_BATTERY_VOLTAGE",
    "cied-battery-longevity": "721472^MDC_IDC_MSMT_BATTERY_REMAINING_LONGEVITY",
    "cied-ra-impedance": "722432^MDC_IDC_MSMT_LEADCHNL_RA_IMPEDANCE_VALUE",
}
PROFILE = "IHE_PCD_009^IHE PCD^1.3.6.1.4.1.19376.1.6.1.9.1^ISO"


def _message(scene: Scene, values: Values) -> str:
    at, value = f"{scene.at:%Y%m%d%H%M%S%z}", values[""]
    maker, _, unit = scene.device.partition("/")
    head = rf"MSH|^~\&|MAKER|CLINIC|HUB|HDS|{at}||ORU^R01^ORU_R01|SIM-{scene.number}|P|2.6|||AL|NE||UNICODE UTF-8|||{PROFILE}"
    result = f"OBX|1|NM|{CODES[scene.sort.measure]}^MDC|1|{value or ''}|{scene.sort.unit}|||||{'F' if value else 'X'}|||{at}"
    return "\r".join((head, f"PID|1||SIM^^^CLINIC^PI~{unit}^^^{maker}^U||Nobody^Simulated", f"OBR|1||{scene.number}||||{at}", result, ""))


SIMULATOR = Writer(
    sorts=[
        sort("cied-battery-voltage", "V", 2, ("2.6", "3.2")),
        sort("cied-battery-longevity", "mo", 0, ("12", "120")),
        sort("cied-ra-impedance", "Ohm", 0, ("300", "900")),
    ],
    unit="SIM/MODEL:S1/SERIAL:PZC{:06}S",
    record=_message,
    payload=lambda messages: "".join(messages).encode(),
)
