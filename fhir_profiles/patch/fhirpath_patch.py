"""FHIRPath Patch: a Parameters resource whose operations say with FHIRPath where they work.

https://hl7.org/fhir/R4/fhirpatch.html
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.fhirpath import FhirPathError, Node, compile_
from fhir_profiles.fhirpath.model import Type, type_of
from fhir_profiles.patch.error import OPERATIONS_MAX, VALUES_MAX, PatchError, copied, size
from fhir_profiles.patch.pairs import Pair, pairs, put_pairs
from fhir_profiles.patch.parts import Part, added, malformed, missing, parts_of

Json = dict[str, Any]


def fhirpath_patch(resource: Mapping[str, Any], parameters: Any) -> Json:
    """Raises PatchError."""
    operations = _operations(parameters)
    if sum(map(size, operations)) > VALUES_MAX:
        raise PatchError("limit", f"a patch brings along at most {VALUES_MAX} values")
    result: Json = copied(resource)
    for index, operation in enumerate(operations):
        try:
            _carry_out(result, parts_of(operation))
        except PatchError as error:
            raise PatchError(error.fault, error.text, index) from None
        except FhirPathError as error:
            raise PatchError("malformed", f"path: {error}", index) from error
    return result


def _operations(parameters: Any) -> list[Json]:
    """One parameter `operation` for each, and nothing else; a patch without any changes nothing."""
    if type(parameters) is not dict or parameters.get("resourceType") != "Parameters":
        raise PatchError("malformed", "a FHIRPath Patch is a Parameters resource")
    if "parameter" not in parameters:
        return []
    found = parameters["parameter"]
    if type(found) is not list or not found:
        raise PatchError("malformed", "parameter is an array of operations that is not empty")
    if len(found) > OPERATIONS_MAX:
        raise PatchError("limit", f"a patch has at most {OPERATIONS_MAX} operations")
    for index, one in enumerate(found):
        if type(one) is not dict or one.get("name") != "operation":
            raise PatchError("malformed", "every parameter of a patch is called operation", index)
    return found


def _carry_out(resource: Json, parts: Mapping[str, Part]) -> None:
    kind = parts["type"].code() if "type" in parts else None
    carry_out = _OPERATIONS.get(kind) if kind is not None else None
    if carry_out is None:
        raise malformed("type has to be one of " + ", ".join(_OPERATIONS))
    if "path" not in parts:
        raise malformed("path is missing")
    path = parts["path"].text()
    top = Node(resource, type_of(resource.get("resourceType")))
    found = compile_(path).nodes(top)
    if not all(type(node) is Node for node in found):
        raise missing("path has to lead to elements of the resource")
    carry_out(found, parts)


def _one(found: list[Node]) -> Node:
    if len(found) != 1:
        raise missing("path has to lead to one element" + (", and leads to none" if not found else ", and leads to several"))
    return found[0]


def _holder(node: Node) -> Json:
    """The JSON object that an element stands in."""
    if node.parent is None:
        raise missing("the resource itself is not replaced, moved or deleted by a patch")
    holder: Json = node.parent.value
    return holder


def _add(found: list[Node], parts: Mapping[str, Part]) -> None:
    node = _one(found)
    if "name" not in parts or "value" not in parts:
        raise malformed("add needs a name and a value")
    if type(node.value) is dict:
        added(node.value, node.type.of(node.value), parts["name"].text(), parts["value"])
        return
    place = pairs(_holder(node), node.key)
    value, sibling = place[node.index or 0]
    extended = sibling if type(sibling) is dict else {}
    added(extended, node.type.sibling, parts["name"].text(), parts["value"])
    place[node.index or 0] = (value, extended)
    put_pairs(_holder(node), node.key, place, repeats=node.index is not None)


def _list(found: list[Node]) -> tuple[Json, str, list[Pair]]:
    """The whole list that the path leads to."""
    if not found:
        raise missing("path has to lead to a list, and leads to nothing")
    first = found[0]
    holder = _holder(first)
    place = pairs(holder, first.key)
    same = all(node.parent is not None and node.parent.value is holder and node.key == first.key for node in found)
    if not same or first.index is None or len(found) != len(place):
        raise missing("path has to lead to a whole list")
    return holder, first.key, place


def _insert(found: list[Node], parts: Mapping[str, Part]) -> None:
    holder, key, place = _list(found)
    if "value" not in parts or "index" not in parts:
        raise malformed("insert needs an index and a value")
    index = parts["index"].whole()
    if index > len(place):
        raise missing("the list has no such index")
    place.insert(index, parts["value"].pair(found[0].type))
    put_pairs(holder, key, place, repeats=True)


def _delete(found: list[Node], _: Mapping[str, Part]) -> None:
    """It is no error if there is nothing to delete."""
    if found:
        _remove(_one(found))


def _remove(node: Node) -> None:
    """With what it leaves empty, for no element is (https://hl7.org/fhir/R4/element.html, ele-1)."""
    holder, above = _holder(node), node.parent
    place = pairs(holder, node.key)
    del place[node.index or 0]
    put_pairs(holder, node.key, place, repeats=node.index is not None)
    if holder or above is None or above.parent is None:
        return
    if above.key:
        _remove(above)
    else:
        _without_extensions(above.parent)


def _without_extensions(primitive: Node) -> None:
    """What stood beside the value of a primitive has become empty."""
    if primitive.value is None:
        _remove(primitive)
        return
    holder, index = _holder(primitive), primitive.index or 0
    place = pairs(holder, primitive.key)
    place[index] = (place[index][0], None)
    put_pairs(holder, primitive.key, place, repeats=primitive.index is not None)


def _replace(found: list[Node], parts: Mapping[str, Part]) -> None:
    node = _one(found)
    if "value" not in parts:
        raise malformed("replace needs a value")
    holder, part = _holder(node), parts["value"]
    key = _choice(node, part)
    if key != node.key:
        put_pairs(holder, node.key, [], repeats=False)
        put_pairs(holder, key, [part.pair(dict(_type(node).named(key, {}))[key])], repeats=False)
        return
    place = pairs(holder, key)
    place[node.index or 0] = part.pair(node.type)
    put_pairs(holder, key, place, repeats=node.index is not None)


def _type(node: Node) -> Type:
    assert node.parent is not None  # noqa: S101 -- _holder has looked
    return node.parent.type.of(node.parent.value)


def _choice(node: Node, part: Part) -> str:
    """The JSON name for the type that comes: valueQuantity may be replaced by valueString."""
    for name in _prefixes(node.key):
        keys = {key for key, _ in _type(node).named(name, {})}
        if node.key in keys and f"{name}{part.suffix}" in keys:
            return f"{name}{part.suffix}"
    return node.key


def _prefixes(key: str) -> list[str]:
    """What may be the name of an element with a choice of types: for valueCodeableConcept value and valueCodeable."""
    return [key[:at] for at in range(1, len(key)) if key[at].isupper()]


def _move(found: list[Node], parts: Mapping[str, Part]) -> None:
    holder, key, place = _list(found)
    if "source" not in parts or "destination" not in parts:
        raise malformed("move needs a source and a destination")
    source, destination = parts["source"].whole(), parts["destination"].whole()
    if max(source, destination) >= len(place):
        raise missing("the list has no such index")
    place.insert(destination, place.pop(source))
    put_pairs(holder, key, place, repeats=True)


_OPERATIONS: Final[Mapping[str, Callable[[list[Node], Mapping[str, Part]], None]]] = MappingProxyType(
    {"add": _add, "insert": _insert, "delete": _delete, "replace": _replace, "move": _move}
)
