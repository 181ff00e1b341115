"""An element of a JSON object as pairs of value and extensions, whether it repeats or not.

https://hl7.org/fhir/R4/json.html#primitive: `name` and `_name` belong together and keep step.
"""

from typing import Any

Json = dict[str, Any]
Pair = tuple[Any, Any]
"""(value, what stands under the underscored name); None for what is not there."""


def pairs(holder: Json, key: str) -> list[Pair]:
    value, sibling = holder.get(key), holder.get(f"_{key}")
    if type(value) is list or type(sibling) is list:
        values, siblings = (side if type(side) is list else [] for side in (value, sibling))
        length = max(len(values), len(siblings))
        return list(zip(_filled(values, length), _filled(siblings, length), strict=True))
    return [] if value is None and sibling is None else [(value, sibling)]


def _filled(items: list[Any], length: int) -> list[Any]:
    return items + [None] * (length - len(items))


def put_pairs(holder: Json, key: str, found: list[Pair], *, repeats: bool) -> None:
    """Back into the object: nothing is left where nothing is there, and the names keep their places."""
    for name, side in ((key, [value for value, _ in found]), (f"_{key}", [sibling for _, sibling in found])):
        if all(one is None for one in side):
            holder.pop(name, None)
        else:
            holder[name] = side if repeats else side[0]
