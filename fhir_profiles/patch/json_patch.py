"""JSON Patch. https://www.rfc-editor.org/rfc/rfc6902, JSON Pointer: https://www.rfc-editor.org/rfc/rfc6901"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.fhirpath.operators import same_json
from fhir_profiles.patch.error import OPERATIONS_MAX, VALUES_MAX, PatchError, copied, size

POINTER_STEPS_MAX: Final = 100

_POINTER: Final = re.compile(r"(?:/(?:[^/~]|~[01])*)*")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")

Pointer = tuple[str, ...]


def json_patch(resource: Mapping[str, Any], operations: Any) -> dict[str, Any]:
    """Raises PatchError."""
    if type(operations) is not list:
        raise PatchError("malformed", "a JSON Patch is an array of operations")
    if len(operations) > OPERATIONS_MAX:
        raise PatchError("limit", f"a patch has at most {OPERATIONS_MAX} operations")
    document = _Document(copied(resource))
    for index, operation in enumerate(operations):
        try:
            _carry_out(document, operation)
        except PatchError as error:
            raise PatchError(error.fault, error.text, index) from None
    if type(document.value) is not dict:
        raise PatchError("target", "what is left is no JSON object")
    return document.value


def _malformed(text: str) -> PatchError:
    return PatchError("malformed", text)


def _missing(text: str) -> PatchError:
    return PatchError("target", text)


@dataclass(slots=True)
class _Document:
    value: Any
    brought: int = 0

    def bring(self, value: Any) -> Any:
        """A copy of its own, counted."""
        self.brought += size(value)
        if self.brought > VALUES_MAX:
            raise PatchError("limit", f"a patch brings along at most {VALUES_MAX} values")
        return copied(value)


def _carry_out(document: _Document, operation: Any) -> None:
    if type(operation) is not dict:
        raise _malformed("an operation is a JSON object")
    name = operation.get("op")
    carry_out = _OPERATIONS.get(name) if isinstance(name, str) else None
    if carry_out is None:
        raise _malformed("op has to be one of " + ", ".join(_OPERATIONS))
    carry_out(document, operation)


def _pointer(operation: Mapping[str, Any], member: str = "path") -> Pointer:
    text = operation.get(member)
    if not isinstance(text, str) or _POINTER.fullmatch(text) is None or text.count("/") > POINTER_STEPS_MAX:
        raise _malformed(f"{member} has to be a JSON Pointer such as /name/0/family")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise _malformed("value is missing")
    return operation["value"]


def _place(items: list[Any], step: str, *, beyond: bool) -> int:
    """https://www.rfc-editor.org/rfc/rfc6901#section-4. `beyond`: the place after the last one is one too."""
    if beyond and step == "-":
        return len(items)
    if _INDEX.fullmatch(step) is None:
        raise _missing("an array is entered by a number")
    place = int(step)
    if place >= len(items) + beyond:
        raise _missing("the array has no such place")
    return place


def _found(value: Any, pointer: Pointer) -> Any:
    for step in pointer:
        if type(value) is list:
            value = value[_place(value, step, beyond=False)]
        elif type(value) is dict and step in value:
            value = value[step]
        else:
            raise _missing("there is nothing at the path")
    return value


def _put(document: _Document, pointer: Pointer, value: Any) -> None:
    """https://www.rfc-editor.org/rfc/rfc6902#section-4.1"""
    if not pointer:
        document.value = value
        return
    parent, step = _found(document.value, pointer[:-1]), pointer[-1]
    if type(parent) is list:
        parent.insert(_place(parent, step, beyond=True), value)
    elif type(parent) is dict:
        parent[step] = value
    else:
        raise _missing("there is nothing to add to at the path")


def _taken(document: _Document, pointer: Pointer) -> Any:
    """https://www.rfc-editor.org/rfc/rfc6902#section-4.2"""
    if not pointer:
        raise _missing("the whole resource is not removed by a patch")
    value = _found(document.value, pointer)
    parent = _found(document.value, pointer[:-1])
    del parent[int(pointer[-1]) if type(parent) is list else pointer[-1]]
    return value


def _add(document: _Document, operation: Mapping[str, Any]) -> None:
    _put(document, _pointer(operation), document.bring(_value(operation)))


def _remove(document: _Document, operation: Mapping[str, Any]) -> None:
    _taken(document, _pointer(operation))


def _replace(document: _Document, operation: Mapping[str, Any]) -> None:
    pointer, value = _pointer(operation), document.bring(_value(operation))
    if pointer:
        _found(document.value, pointer)
        parent = _found(document.value, pointer[:-1])
        parent[int(pointer[-1]) if type(parent) is list else pointer[-1]] = value
    else:
        document.value = value


def _move(document: _Document, operation: Mapping[str, Any]) -> None:
    """https://www.rfc-editor.org/rfc/rfc6902#section-4.4"""
    source, target = _pointer(operation, "from"), _pointer(operation)
    if source == target:
        _found(document.value, source)
    elif target[: len(source)] == source:
        raise _missing("nothing is moved into itself")
    else:
        _put(document, target, _taken(document, source))


def _copy(document: _Document, operation: Mapping[str, Any]) -> None:
    _put(document, _pointer(operation), document.bring(_found(document.value, _pointer(operation, "from"))))


def _test(document: _Document, operation: Mapping[str, Any]) -> None:
    """https://www.rfc-editor.org/rfc/rfc6902#section-4.6: numbers by their value"""
    if not same_json(_found(document.value, _pointer(operation)), _value(operation)):
        raise PatchError("test", "the test found another value")


_OPERATIONS: Final[Mapping[str, Callable[[_Document, Mapping[str, Any]], None]]] = MappingProxyType(
    {"add": _add, "remove": _remove, "replace": _replace, "move": _move, "copy": _copy, "test": _test}
)
