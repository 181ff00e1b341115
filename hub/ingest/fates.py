"""What became of an item: one of five fates, with a code, a place in the vendor's payload and a hint (DESIGN 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

Fate = Literal["stored", "duplicate", "corrected", "quarantined", "refused"]

NOT_PAIRED = "device-not-paired"
NOT_PAIRED_HINT = "No device with this identifier is paired for this time. Register and pair it, then replay the item."
"""The same for a device nobody knows, one that is not paired, and a patient who has not consented (law 3)."""
DEVICE_MISSING = "device-missing"
DEVICE_MISSING_HINT = "The payload does not say which device measured; give it as ?device=."
WHOSE_CONTRADICTS = "subject-contradicts-pairing"
WHOSE_CONTRADICTS_HINT = (
    "The payload gives another person for this reading than the pairing does. Correct the pairing, then replay the item."
)
WITHDRAWN_THEN = "withdrawn-then"
WITHDRAWN_THEN_HINT = "The patient had withdrawn the consent when this was measured; it is not kept."
"""Of what the hub fetches by itself; nobody who sends is told."""
SCOPE_MISSING = "scope-missing"
TIME_CONFLICT = "time-conflict"
TIME_CONFLICT_HINT = "This reading was already sent with the same device time but another time zone; check the zone."
ADAPTER_MISSING = "adapter-missing"
ADAPTER_MISSING_HINT = "The adapter that read this item is not installed any more; install it, then replay the item."
SENDER_REVOKED = "sender-revoked"
SENDER_REVOKED_HINT = "The client that sent this item has been revoked: nothing is stored in its name. Discard the item, or let it expire."
CONTENT_MISSING = "content-missing"
CONTENT_MISSING_HINT = "The bytes of this recording are not here any more; send it again."
NO_WAITING = "A recording this long does not wait: FHIR has no attachment above 2 GiB; send it in parts."
SUPERSEDED = "superseded"
SUPERSEDED_HINT = "Kept in the history: a value that the source changed later is current."


def scope_missing_hint(type: str) -> str:
    """What a client lacks is its own affair and no secret: it says nothing about a patient."""
    return f"This reading becomes a {type}; ask the operator for the scope system/{type}.c, then replay the item."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one item, in the order of the payload."""

    fate: Fate
    pointer: str
    code: str | None = None
    hint: str | None = None
    resource: str | None = None

    def to_json(self) -> dict[str, str]:
        made = {"fate": self.fate, "code": self.code, "pointer": self.pointer, "hint": self.hint, "resource": self.resource}
        return {name: value for name, value in made.items() if value is not None}


def array(answers: Sequence[Answer]) -> bytes:
    return orjson.dumps([answer.to_json() for answer in answers])


def ndjson(answers: Sequence[Answer]) -> bytes:
    return b"".join(orjson.dumps(answer.to_json()) + b"\n" for answer in answers)
