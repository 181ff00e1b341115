"""What all answers of Withings' API share: `status`, `body`, epoch times, devices, positions on the body, classes of an ECG.

https://developer.withings.com/api-reference; the adapters that read one kind of answer each lie in `withings*/`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.contract import Unreadable
from adapters.decimal_text import written_decimal
from adapters.json_payload import Number
from adapters.limits import FIELD_CHARS_MAX, YEAR_MAX
from adapters.reading import Coded, DeviceTime
from adapters.refusal import ItemRefused

SNOMED_CT = "http://snomed.info/sct"
EPOCH_S_MAX = int(datetime(YEAR_MAX + 1, 1, 1, tzinfo=UTC).timestamp())


def _body_site(code: str, display: str) -> Mapping[str, Coded]:
    return {"body-site": Coded(system=SNOMED_CT, code=code, display=display)}


POSITION: Mapping[int, Mapping[str, Coded]] = {
    0: _body_site("9736006", "Structure of right wrist region"),
    1: _body_site("5951000", "Structure of left wrist region"),
    2: _body_site("6921000", "Structure of right upper limb"),
    3: _body_site("80768000", "Structure of left upper limb"),
    4: _body_site("7769000", "Structure of right foot"),
    5: _body_site("22335008", "Structure of left foot"),
    7: _body_site("38266002", "Entire body as a whole"),
    10: _body_site("32153003", "Structure of left lower limb"),
    11: _body_site("62175007", "Structure of right lower limb"),
    12: _body_site("22943007", "Trunk structure"),
    13: _body_site("85151006", "Structure of left hand"),
    14: _body_site("78791008", "Structure of right hand"),
}
"""`position` as SNOMED CT body structure. Between the legs (6) and the halves of the body (8, 9) have no code here."""

ECG_CLASSIFICATION = "http://hds-hub.invalid/fhir/CodeSystem/ecg-classification"


def _class(code: str, display: str) -> Coded:
    return Coded(system=ECG_CLASSIFICATION, code=code, display=display)


_NONE = _class("no-atrial-fibrillation", "No signs of atrial fibrillation")
_FIBRILLATION = _class("atrial-fibrillation", "Atrial fibrillation")
_INCONCLUSIVE = _class("inconclusive", "Inconclusive")
_POOR = _class("inconclusive-poor-recording", "Inconclusive: poor recording")

CLASSES: Mapping[int, Coded] = {
    0: _NONE,
    1: _FIBRILLATION,
    2: _INCONCLUSIVE,
    3: _POOR,  # no signal
    4: _class("unrecognized", "The device says a class that has no code here"),
    5: _POOR,  # noise
    6: _class("inconclusive-low-heart-rate", "Inconclusive: heart rate too low"),
    7: _class("inconclusive-high-heart-rate", "Inconclusive: heart rate too high"),
    8: _INCONCLUSIVE,
    9: _NONE,  # at a normal rate
    10: _NONE,  # at a high rate
    11: _FIBRILLATION,
    12: _FIBRILLATION,
    13: _INCONCLUSIVE,  # no diagnosis
}
"""`afib` of a heart record (0 to 2) and the value of measure type 130. "Negative" is no sinus rhythm that somebody recognised."""

STATUS_HINT: Mapping[int, str] = {
    100: "The access token lacks a permission or has expired: refresh it and ask again.",
    401: "The access token is missing, wrong or expired: refresh it and ask again.",
    503: "Withings refused the parameters of the request.",
    601: "Too many requests: wait and ask again.",
}
"""`status` other than 0. https://developer.withings.com/api-reference#section/Response-status"""


def body_of(document: Any, name: str, *, what: str, code: str | None = None) -> tuple[str, Any]:
    """Return pointer and value of the field `name` of a whole answer or of its `body`; a bare list is the value. Raises Unreadable."""
    code = code or f"not-{name}"
    if type(document) is list:
        return "", document
    if type(document) is not dict:
        raise Unreadable(code, f"This is no {what}: send the JSON object that Withings answered.")
    if document.get("status", 0) != 0:
        raise Unreadable("vendor-error", status_hint(document["status"]), pointer="/status")
    body, pointer = (document["body"], f"/body/{name}") if "body" in document else (document, f"/{name}")
    value = body.get(name) if type(body) is dict else None
    if type(value) not in {list, dict}:
        raise Unreadable(code, f"This is no {what}: it has no `{name}`.", pointer=pointer)
    return pointer, value


def status_hint(status: object) -> str:
    if type(status) is not int:
        return "`status` is not a number."
    return f"Withings answered with status {status} instead of data. {STATUS_HINT.get(status, 'Look it up in their list of statuses.')}"


def is_epoch(value: object) -> bool:
    return type(value) is int and 0 < value < EPOCH_S_MAX


def instant(value: Any, name: str) -> DeviceTime:
    """Epoch seconds; Withings sends UTC whatever the `timezone` of the account. Raises ItemRefused."""
    if not is_epoch(value):
        raise ItemRefused("no-time", f"`{name}` is missing or not seconds since 1970.")
    return DeviceTime(kind="utc", text=str(value), instant=datetime.fromtimestamp(value, UTC))


def modified_at(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if is_epoch(value) else None


def device_of(fields: Mapping[str, Any]) -> str | None:
    """`deviceid`, else `hash_deviceid`, which names the same unit; None where neither is said. Raises ItemRefused."""
    for name in ("deviceid", "hash_deviceid"):
        said = fields.get(name)
        if said is not None and (type(said) is not str or len(said) > FIELD_CHARS_MAX):
            raise ItemRefused("device-not-readable", f"`{name}` must be text of at most {FIELD_CHARS_MAX} characters.")
        if type(said) is str and said.strip():
            return said.strip()
    return None


def number_text(value: Any) -> str:
    """Return a JSON number with the digits it was written with. Raises ItemRefused."""
    if value is None:
        raise ItemRefused("no-value", "The value is null: nothing was measured.", keep=False)
    text = str(value) if type(value) is int else value.text if type(value) is Number else ""
    number = written_decimal(text)
    if number is None:
        raise ItemRefused("value-not-a-number", "The value must be a JSON number of a size that a measurement can have.")
    return number
