"""Breaks a resource in the ways that an element of a profile forbids: one place at a time."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

Json = dict[str, Any]
STUBS: dict[str, Any] = {
    "Reference": {"reference": "Basic/x"},
    "CodeableConcept": {"text": "x"},
    "Quantity": {"value": 1},
    "string": "x",
    "boolean": True,
    "Period": {"start": "2026"},
    "dateTime": "2026-11-22",
}


def mutants(resource: Json, element: Json) -> Iterator[tuple[str, Json]]:
    """(rule, resource that breaks it), for each rule of the element and each place it stands at in the resource."""
    path = element["path"].split(".")[1:]
    fixed = next((name for name in element if name.startswith(("fixed", "pattern"))), None)
    if element.get("min") and path:
        yield from (("min", one) for one in _each(resource, path, _removed))
    if element.get("max") == "0" and path:
        yield from (("max", one) for one in _each(resource, path, _added))
    if element.get("max") == "1" and path:
        yield from (("max", one) for one in _each(resource, path, _doubled))
    if fixed is not None and path:
        yield from (("fixed", one) for one in _each(resource, path, _changed))
    if "type" in element and path and path[-1].endswith("[x]"):
        codes = {type["code"] for type in element["type"]}
        yield from (("type", one) for one in _each(resource, path, lambda holder, name: _retyped(holder, name, codes)))
    if path and any("targetProfile" in type for type in element.get("type", ())):
        yield from (("target", one) for one in _each(resource, path, _redirected))
    if element.get("binding", {}).get("strength") == "required":
        yield from (("binding", one) for one in _each(resource, path, _recoded))


def _each(resource: Json, path: list[str], change: Callable[[Json, str], bool]) -> Iterator[Json]:
    """The change made at each place that the path leads to, one at a time."""
    for number in range(len(list(_holders(resource, path[:-1])))):
        changed = deepcopy(resource)
        holder = list(_holders(changed, path[:-1]))[number]
        if change(holder, path[-1]):
            yield changed


def _holders(value: Any, path: list[str]) -> Iterator[Json]:
    if not path:
        if isinstance(value, dict):
            yield value
        return
    for key in _keys(value, path[0]):
        inner = value[key]
        for one in inner if isinstance(inner, list) else [inner]:
            yield from _holders(one, path[1:])


def _keys(value: Any, name: str) -> list[str]:
    plain = name.removesuffix("[x]")
    if not isinstance(value, dict):
        return []
    return [key for key in value if key == plain or (name.endswith("[x]") and key.startswith(plain) and key[len(plain)].isupper())]


def _removed(holder: Json, name: str) -> bool:
    keys = _keys(holder, name)
    for key in keys:
        del holder[key]
    return bool(keys)


def _added(holder: Json, name: str) -> bool:
    """Something where nothing may be: of the right type where the place tells it."""
    if _keys(holder, name):
        return False
    plain = name.removesuffix("[x]")
    stubs = {"value": ("valueInteger", 1), "focus": ("focus", [STUBS["Reference"]]), "hasMember": ("hasMember", [STUBS["Reference"]])}
    stubs |= {
        "derivedFrom": ("derivedFrom", [STUBS["Reference"]]),
        "specimen": ("specimen", STUBS["Reference"]),
        "parent": ("parent", STUBS["Reference"]),
    }
    stubs |= {"type": ("type", STUBS["CodeableConcept"]), "dataAbsentReason": ("dataAbsentReason", STUBS["CodeableConcept"])}
    key, value = stubs.get(plain, (name, "x"))
    holder[key] = value
    return True


def _doubled(holder: Json, name: str) -> bool:
    if not isinstance(holder.get(name), list):
        return False
    holder[name] = [*holder[name], *holder[name]]
    return True


def _changed(holder: Json, name: str) -> bool:
    if name not in holder:
        return False
    value = holder[name]
    holder[name] = f"{value}x" if isinstance(value, str) else {"code": "x"} if "code" in value else {"text": "x"}
    return True


def _retyped(holder: Json, name: str, allowed: set[str]) -> bool:
    plain = name.removesuffix("[x]")
    keys = _keys(holder, name)
    other = next(code for code in ("string", "boolean", "Period", "Quantity", "Reference") if code not in allowed)
    if not keys:
        return False
    for key in keys:
        del holder[key]
    holder[f"{plain}{other[0].upper()}{other[1:]}"] = STUBS[other]
    return True


def _redirected(holder: Json, name: str) -> bool:
    keys = _keys(holder, name)
    for key in keys:
        holder[key] = [{"reference": "Basic/x"}] if isinstance(holder[key], list) else {"reference": "Basic/x"}
    return bool(keys)


def _recoded(holder: Json, name: str) -> bool:
    keys = _keys(holder, name)
    for key in keys:
        holder[key] = _with_other_code(holder[key])
    return bool(keys)


def _with_other_code(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_other_code(one) for one in value]
    if isinstance(value, str):
        return f"{value}x"
    if "coding" in value:
        return {**value, "coding": _with_other_code(value["coding"])}
    return {**value, "code": "no-such-code"}
