"""JMESPath (https://jmespath.org/specification.html) with a number of steps that no expression exceeds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from adapters.declarative.failure import Path as Place
from adapters.declarative.failure import Unusable
from adapters.declarative.json_path import MISSING
from adapters.declarative.paths import ANY, Path
from adapters.limits import RAW_BYTES_MAX
from adapters.refusal import ItemRefused

STEPS_MAX: Final = 200_000
"""Nodes of the expression visited, and elements of the arrays they make, for one record. A strip of a minute takes 60,000."""

MULTIPLIERS_MAX: Final = 2
_MULTIPLIERS: Final = frozenset({"multi_select_list", "multi_select_dict"})
_SIMPLE: Final = frozenset({"field", "index", "current", "identity"})
_CHAINS: Final = frozenset({"subexpression", "index_expression", "pipe"})
Node = dict[str, Any]


class TooLong(Exception):
    """An expression took more steps than it may."""


class _Bounded(TreeInterpreter):
    """The library's interpreter, counting."""

    def __init__(self) -> None:
        super().__init__()
        self.left = STEPS_MAX

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        result = super().visit(node, *args, **kwargs)
        if type(result) is list:
            self.left -= len(result)
        if self.left < 0 or (type(result) is str and len(result) > RAW_BYTES_MAX):
            raise TooLong
        return result


@dataclass(frozen=True, slots=True)
class Search:
    reads: tuple[Path, ...]
    value: Callable[[Any], Any]


def compiled(text: str, at: Place) -> Search:
    """Compile an expression. Raises Unusable."""
    try:
        tree: Any = jmespath.compile(text).parsed
        _check_kinds(tree, at)
        reads: list[Path] = []
        reads += _read(tree, [()], reads)
    except (JMESPathError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Unusable(at, f"This is no JMESPath (a JSONPath begins with $): {reason}") from None
    return Search(tuple(reads), lambda node: _value(tree, node))


def _check_kinds(tree: Node, at: Place) -> None:
    """Arrays that hold a thing twice, of which each holds a thing twice …, are small until somebody looks into them."""
    nodes = list(_nodes(tree))
    if any(node["type"] == "function_expression" and node["value"] == "to_string" for node in nodes):
        raise Unusable(at, "to_string is not taken: numbers and words are compared as text anyway.")
    if sum(node["type"] in _MULTIPLIERS for node in nodes) > MULTIPLIERS_MAX:
        raise Unusable(at, f"An expression makes at most {MULTIPLIERS_MAX} new arrays or objects.")


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)


def _value(tree: Node, node: Any) -> Any:
    """JMESPath does not tell null from nothing: both are MISSING."""
    failed = True
    result = None
    try:
        result = _Bounded().visit(tree, node)
        failed = False
    except TooLong:
        pass
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError, KeyError, AttributeError):
        pass
    if failed:
        raise ItemRefused("expression-failed", "An expression of the mapping cannot be answered for this record.")
    return MISSING if result is None else result


def _read(node: Node, here: list[Path], reads: list[Path]) -> list[Path]:
    """Return where the node's result may lie; whatever it reads beside that goes into `reads`, kept whole."""
    kind, children = node["type"], node["children"]
    match kind:
        case "field":
            return [(*path, node["value"]) for path in here]
        case "index":
            return [(*path, ANY) for path in here]
        case "current" | "identity" | "slice":
            return here
        case "subexpression" | "index_expression" | "pipe":
            return _read_chain(children, here, reads)
        case "projection" | "value_projection" | "filter_projection":
            return _read_projection(children, here, reads)
    for child in children:
        if isinstance(child, dict):
            reads += _read(child, here, reads)
    return []


def _read_chain(children: list[Node], here: list[Path], reads: list[Path]) -> list[Path]:
    for child in children[:-1]:
        found = _read(child, here, reads)
        if not _is_simple(child):
            reads += found
            found = []
        here = found
    return _read(children[-1], here, reads)


def _read_projection(children: list[Node], here: list[Path], reads: list[Path]) -> list[Path]:
    base = _read(children[0], here, reads)
    if not _is_simple(children[0]):
        reads += base
        base = []
    elements = [(*path, ANY) for path in base]
    for condition in children[2:]:
        reads += _read(condition, elements, reads)
    return _read(children[1], elements, reads)


def _is_simple(node: Node) -> bool:
    """Say whether the result is a node of the record itself, and no new array."""
    return node["type"] in _SIMPLE or (node["type"] in _CHAINS and all(_is_simple(child) for child in node["children"]))
