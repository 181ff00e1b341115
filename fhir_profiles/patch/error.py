"""Why a patch was not carried out."""

from typing import Any, Final, Literal

PatchFault = Literal["malformed", "target", "test", "limit"]
"""malformed: no such operation; target: it names what is not there; test: a test said no; limit: too much of it."""

OPERATIONS_MAX: Final = 1_000
VALUES_MAX: Final = 500_000
"""Values that all the operations of one patch may bring along, copies included."""
DEPTH_MAX: Final = 100


class PatchError(ValueError):
    """`operation` counts from 0, None for the patch as a whole; `text` is for the person who wrote it and repeats no value."""

    def __init__(self, fault: PatchFault, text: str, operation: int | None = None) -> None:
        super().__init__(text if operation is None else f"operation {operation}: {text}")
        self.fault = fault
        self.text = text
        self.operation = operation


def copied(value: Any) -> Any:
    """Objects and arrays anew; what stands in them is never changed."""
    if type(value) is dict:
        return {key: copied(part) for key, part in value.items()}
    return [copied(part) for part in value] if type(value) is list else value


def size(value: Any, depth: int = 0) -> int:
    """How many values it consists of. Raises PatchError if they stand too deep inside each other."""
    if depth > DEPTH_MAX:
        raise PatchError("limit", f"values stand at most {DEPTH_MAX} deep")
    if type(value) is dict:
        return 1 + sum(size(part, depth + 1) for part in value.values())
    return 1 + sum(size(part, depth + 1) for part in value) if type(value) is list else 1
