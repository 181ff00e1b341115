"""Slicing: which slice of an element does an item belong to?

https://hl7.org/fhir/R4/profiling.html#discriminator. A discriminator is a path into the item, and a way to compare what
stands there with what the slice says of the same place.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from fhir_profiles.profiles.bindings import held
from fhir_profiles.profiles.finding import Path, ProfileError
from fhir_profiles.profiles.run import Run, target_type
from fhir_profiles.profiles.tree import Node
from fhir_profiles.profiles.values import fits, said, same

STEP: Final = re.compile(r"extension\('([^']+)'\)|(resolve)\(\)|(?:ofType|as)\(([A-Za-z]+)\)|([A-Za-z]+)|(\$this)")
CANONICAL: Final = "http://hl7.org/fhir/StructureDefinition/"


class Item(NamedTuple):
    """A value, and the name of its type where the place does not say it (value[x])."""

    value: Any
    type: str


class Test(NamedTuple):
    """One discriminator of one slice. `text` says to people what it asks for."""

    holds: Callable[[Item, Path, Run], bool]
    text: str


class Expected(NamedTuple):
    """What a slice says of the value at a path: `value` where it is one value, `text` for people."""

    meets: Callable[[Any], bool]
    text: str
    value: Any = None


class Step(NamedTuple):
    """`kind`: this, element, extension, resolve or type."""

    kind: str
    name: str = ""


def tests(slicing: Mapping[str, Any], slice: Node, name: str) -> list[Test]:
    """What an item of this slice has to meet. Raises ProfileError where the slice does not say it."""
    if not slicing.get("discriminator"):
        raise ProfileError(f"slice {name} has nothing that tells it apart")
    return [_test(one["type"], one["path"], slice, name) for one in slicing["discriminator"]]


def _test(kind: str, path: str, slice: Node, name: str) -> Test:
    steps = list(_steps(path))
    match kind:
        case "value" | "pattern":
            return _value(steps, path, slice, name)
        case "exists":
            return _exists(steps, path, slice)
        case "type":
            return _type(steps, path, slice, name)
        case "profile":
            return _profile(steps, path, slice, name)
        case _:
            raise ProfileError(f"slice {name}: a discriminator of this type is not understood")


def _steps(path: str) -> Iterator[Step]:
    rest = path
    while rest:
        found = STEP.match(rest)
        if found is None:
            raise ProfileError(f"the path {path} of a discriminator is not understood")
        extension, resolve, type, element, _ = found.groups()
        if extension:
            yield Step("extension", extension)
        elif resolve:
            yield Step("resolve")
        elif type:
            yield Step("type", type)
        elif element:
            yield Step("element", element)
        rest = rest[found.end() :].removeprefix(".")


def _items(item: Item, steps: list[Step], run: Run) -> list[Item]:
    """What stands at the path."""
    items = [item]
    for step in steps:
        items = [found for one in items for found in _next(one, step, run)]
    return items


def _next(item: Item, step: Step, run: Run) -> Iterator[Item]:
    value = item.value
    if not isinstance(value, Mapping):
        return
    match step.kind:
        case "extension":
            yield from (Item(one, "Extension") for one in value.get("extension", ()) if one.get("url") == step.name)
        case "resolve":
            resolved = run.resolved(value)
            type = target_type(value, resolved)
            if type is not None:
                yield Item(resolved or {"resourceType": type}, type)
        case "type":
            if item.type == step.name:
                yield item
        case _:
            yield from _element(value, step.name)


def _element(value: Mapping[str, Any], name: str) -> Iterator[Item]:
    """The element, or the choice of types under its name."""
    for key, one in value.items():
        if key == name:
            yield from (Item(each, "") for each in (one if isinstance(one, list) else (one,)))
        elif key.startswith(name) and key[len(name)].isupper():
            yield Item(one, key[len(name) :])


def _value(steps: list[Step], path: str, slice: Node, name: str) -> Test:
    expected = _expected(slice, steps)
    if not expected:
        raise ProfileError(f"slice {name} does not say which value {path} has")
    text = " or ".join(f"{path} = {one.text}" if path != "$this" else one.text for one in expected)
    names = [step.name for step in steps if step.kind == "element"]
    if len(names) == len([step for step in steps if step.kind != "this"]):
        return Test(_plain(names, expected), text)

    def holds(item: Item, _path: Path, run: Run) -> bool:
        found = _items(item, steps, run)
        return any(one.meets(each.value) for each in found for one in expected)

    return Test(holds, text)


def _plain(names: list[str], expected: list[Expected]) -> Callable[[Item, Path, Run], bool]:
    """Elements only, the way nearly all discriminators are written."""
    texts = frozenset(one.value for one in expected if isinstance(one.value, str))
    if len(texts) == len(expected):
        return lambda item, _path, _run: any(type(one) is str and one in texts for one in _at(item.value, names))
    return lambda item, _path, _run: any(one.meets(value) for value in _at(item.value, names) for one in expected)


def _at(value: Any, names: list[str]) -> list[Any]:
    values = [value]
    for name in names:
        found: list[Any] = []
        for one in values:
            if type(one) is dict:
                inner = one.get(name)
                if type(inner) is list:
                    found.extend(inner)
                elif inner is not None:
                    found.append(inner)
                else:
                    found.extend(each.value for each in _element(one, name))
        values = found
    return values


def _expected(node: Node, steps: list[Step]) -> list[Expected]:
    """What the slice says of the value at the end of the path: fixed, pattern or a required binding, there or above."""
    for name, compare in (("fixed", same), ("pattern", fits)):
        if name in node.said:
            return [Expected(partial(_compared, compare, one), said(one), one) for one in _inside(node.said[name], steps)]
    if not steps:
        inner = [one for slice in node.slices.values() for one in _expected(slice, steps)]
        return inner or list(_bound(node))
    return [one for child in _stepped(node, steps[0]) for one in _expected(child, steps[1:])]


def _compared(compare: Callable[[Any, Any], bool], expected: Any, value: Any) -> bool:
    return compare(value, expected)


def _bound(node: Node) -> Iterator[Expected]:
    binding = node.said.get("binding", {})
    codes = {type["code"] for type in node.types}
    if binding.get("strength") == "required" and len(codes) == 1:
        test = held(binding["valueSet"], codes.pop(), choice=False)
        if test is not None:
            yield Expected(lambda value: test(value) is True, f"a code of {binding['valueSet']}")


def _inside(value: Any, steps: list[Step]) -> list[Any]:
    """The rest of the path inside a fixed value or pattern of an element above."""
    values = [value]
    for step in steps:
        inner = [one[step.name] for one in values if isinstance(one, dict) and step.name in one]
        values = [each for one in inner for each in (one if isinstance(one, list) else [one])]
    return values


def _stepped(node: Node, step: Step) -> Iterator[Node]:
    """Children of a slice at a step of the path, and their slices: one of them says what is asked for."""
    if step.kind in ("resolve", "type"):
        yield node
        return
    name = "extension" if step.kind == "extension" else step.name
    for child in (node.children.get(name), node.children.get(f"{name}[x]")):
        if child is None:
            continue
        if step.kind == "element":
            yield child
        yield from (slice for slice in child.slices.values() if step.kind == "element" or step.name in _urls(slice))


def _urls(slice: Node) -> list[str]:
    """Url of an extension slice: of the profile it follows, or as it says itself."""
    url = slice.children.get("url")
    return slice.profiles() + ([url.said["fixed"]] if url is not None and "fixed" in url.said else [])


def extension_test(slice: Node, name: str) -> Test:
    """Extensions are told apart by their url, whether or not a profile says so. https://hl7.org/fhir/R4/extensibility.html"""
    urls = _urls(slice)
    if not urls:
        raise ProfileError(f"slice {name} does not say which extension it is")

    def holds(item: Item, _path: Path, _run: Run) -> bool:
        return isinstance(item.value, Mapping) and item.value.get("url") in urls

    return Test(holds, f"url = {urls[0]}")


def _exists(steps: list[Step], path: str, slice: Node) -> Test:
    node: Node | None = slice
    for step in steps:
        node = None if node is None else next(_stepped(node, step), None)
    there = node is None or node.maximum != 0

    def holds(item: Item, _path: Path, run: Run) -> bool:
        return bool(_items(item, steps, run)) == there

    return Test(holds, f"{path} is {'there' if there else 'not there'}")


def _type(steps: list[Step], path: str, slice: Node, name: str) -> Test:
    ends = [slice]
    for step in steps:
        ends = [child for end in ends for child in _stepped(end, step)]
    allowed = {code for end in ends for code in _type_names(end, resolves=bool(steps) and steps[-1].kind == "resolve")}
    if not allowed and path == "$this":
        allowed = {_of_name(slice, name)}
    if not allowed:
        raise ProfileError(f"slice {name} does not say which type {path} has")

    def holds(item: Item, _path: Path, run: Run) -> bool:
        return any(_name_of(one).casefold() in folded for one in _items(item, steps, run))

    folded = {one.casefold() for one in allowed}
    return Test(holds, f"{path} is a {' or '.join(sorted(allowed))}" if path != "$this" else f"a {' or '.join(sorted(allowed))}")


def _of_name(slice: Node, name: str) -> str:
    """valueQuantity: a slice by type may be named after its type."""
    plain = slice.name.removesuffix("[x]")
    return name.removeprefix(plain) if name.startswith(plain) else name


def _type_names(node: Node, *, resolves: bool) -> Iterator[str]:
    for type in node.types:
        if resolves and type["code"] == "Reference":
            yield from (target.removeprefix(CANONICAL) for target in type.get("targetProfile", ()))
        else:
            yield type["code"]


def _name_of(item: Item) -> str:
    if isinstance(item.value, Mapping) and "resourceType" in item.value:
        return str(item.value["resourceType"])
    return item.type


def _profile(steps: list[Step], path: str, slice: Node, name: str) -> Test:
    ends = [slice]
    for step in steps:
        ends = [child for end in ends for child in _stepped(end, step)]
    profiles = [url for end in ends for url in (*end.profiles(), *(one for type in end.types for one in type.get("targetProfile", ())))]
    if not profiles:
        raise ProfileError(f"slice {name} does not say which profile {path} follows")

    def holds(item: Item, where: Path, run: Run) -> bool:
        known = [url for url in profiles if run.checks(url) is not None]
        return any(not run.conforms([url], one.value, where) for one in _items(item, steps, run) for url in known)

    return Test(holds, f"{path} follows {' or '.join(profiles)}")
