"""JSONPath as RFC 9535 has it, less what could run away: no patterns, one selector a segment, one descent, no filter inside a filter.

With that the work of an expression grows with the size of the node that it is asked of, and no faster.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import jsonpath
from jsonpath.filter import BaseExpression, RelativeFilterQuery, RootFilterQuery
from jsonpath.segments import JSONPathRecursiveDescentSegment, JSONPathSegment
from jsonpath.selectors import Filter, IndexSelector, JSONPathSelector, NameSelector, SliceSelector, WildcardSelector

from adapters.declarative.failure import Path as Place
from adapters.declarative.failure import Unusable
from adapters.declarative.paths import ANY, Location, Path
from adapters.refusal import ItemRefused


class _Missing:
    def __repr__(self) -> str:
        return "missing"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()
NODES_MAX: Final = 100_000

_ENVIRONMENT: Final = jsonpath.JSONPathEnvironment(strict=True)
for _name in ("match", "search"):
    del _ENVIRONMENT.function_extensions[_name]


@dataclass(frozen=True, slots=True)
class Query:
    reads: tuple[Path, ...]
    value: Callable[[Any], Any]
    location: Location | None


@dataclass(frozen=True, slots=True)
class Each:
    """A query of `foreach`: which nodes are records of their own.

    steps   names, ANY or 0 on the way down, when that is all it takes; else `query` finds them
    static  the way down as a path, as far as it is known before a message comes
    reads   what its filter reads of a record
    """

    steps: Path | None
    query: jsonpath.JSONPath | None
    static: Path | None
    reads: tuple[Path, ...]

    def nodes(self, node: Any) -> Iterator[tuple[Location, Any]]:
        """Give each record with its location below `node`."""
        if self.query is None:
            yield from _walk(node, self.steps or (), ())
            return
        for match in islice(self.query.finditer(node), NODES_MAX):
            yield tuple(match.parts), match.obj

    def has_place(self, node: Any) -> bool:
        """Say whether the array or object is there in which records would lie."""
        if self.steps is None:
            return False
        while_any = self.steps[: self.steps.index(ANY)] if ANY in self.steps else self.steps
        return any(type(found) in (dict, list) for _, found in _walk(node, while_any, ()))


def compiled(text: str, at: Place) -> Query:
    """Compile a query for a value. Raises Unusable."""
    segments = _segments(text, at)
    reads: list[Path] = []
    _read(segments, [()], reads, at)
    location = _location(segments)
    if location is not None:
        return Query(tuple(reads), _getter(location), location)
    return Query(tuple(reads), _finder(_parsed(text, at)), None)


def each(text: str, at: Place) -> Each:
    """Compile a query for records: names, [*] and [0], then perhaps one filter or descent at the end. Raises Unusable."""
    segments = _segments(text, at)
    plain, last = segments[:-1], segments[-1] if segments else None
    if last is not None and not _descends(last) and not isinstance(last.selectors[0], Filter):
        plain, last = segments, None
    way = tuple(_step(segment, at) for segment in plain)
    if last is None:
        return Each(way, None, way, ())
    reads: list[Path] = []
    if isinstance(last.selectors[0], Filter):
        _read_filter(last.selectors[0].expression, [()], reads, at)
    return Each(None, _parsed(text, at), None if _descends(last) else (*way, ANY), tuple(reads))


def _parsed(text: str, at: Place) -> jsonpath.JSONPath:
    try:
        query = _ENVIRONMENT.compile(text)
    except (jsonpath.JSONPathError, RecursionError, ValueError, OverflowError) as error:  # the last two: of numbers such as -1E400
        said = (str(error).splitlines() or [""])[0]
        raise Unusable(at, f"This is no JSONPath (RFC 9535) as it is taken here: {said}") from None
    if not isinstance(query, jsonpath.JSONPath):
        raise Unusable(at, "Write one query; | and & between queries are no part of RFC 9535.")
    return query


def _segments(text: str, at: Place) -> list[JSONPathSegment]:
    segments = list(_parsed(text, at).segments)
    if any(len(segment.selectors) != 1 for segment in segments):
        raise Unusable(at, "One selector in each pair of brackets; write several expressions instead.")
    if sum(_descends(segment) for segment in segments) > 1:
        raise Unusable(at, "An expression may descend with .. once.")
    return segments


def _descends(segment: JSONPathSegment) -> bool:
    return isinstance(segment, JSONPathRecursiveDescentSegment)


def _step(segment: JSONPathSegment, at: Place) -> Any:
    selector = segment.selectors[0]
    if not _descends(segment):
        if isinstance(selector, NameSelector):
            return selector.name
        if isinstance(selector, WildcardSelector):
            return ANY
        if isinstance(selector, IndexSelector) and selector.index == 0:
            return 0
    raise Unusable(at, "`foreach` takes names, [*] and [0]; a filter or .. may stand at its end only.")


def _location(segments: list[JSONPathSegment]) -> Location | None:
    selectors = [segment.selectors[0] for segment in segments]
    if any(_descends(segment) for segment in segments):
        return None
    parts = [_part(selector) for selector in selectors]
    return None if None in parts else tuple(part for part in parts if part is not None)


def _part(selector: JSONPathSelector) -> str | int | None:
    if isinstance(selector, NameSelector):
        return selector.name
    return selector.index if isinstance(selector, IndexSelector) and selector.index >= 0 else None


def _getter(location: Location) -> Callable[[Any], Any]:
    if len(location) == 1 and isinstance(location[0], str):
        name = location[0]
        return lambda node: node.get(name, MISSING) if type(node) is dict else MISSING

    def value(node: Any) -> Any:
        for part in location:
            if type(node) is dict and type(part) is str:
                node = node.get(part, MISSING)
            elif type(node) is list and type(part) is int and part < len(node):
                node = node[part]
            else:
                return MISSING
        return node

    return value


def _finder(query: jsonpath.JSONPath) -> Callable[[Any], Any]:
    def value(node: Any) -> Any:
        if type(node) not in (dict, list):
            return MISSING
        try:
            found = list(islice(query.finditer(node), 2))
        except (jsonpath.JSONPathError, TypeError, ArithmeticError):
            found = None
        if found is None:
            raise ItemRefused("expression-failed", "An expression of the mapping cannot be answered for this record.")
        if len(found) > 1:
            raise ItemRefused("ambiguous-value", "An expression of the mapping finds several values in this record.")
        return found[0].obj if found else MISSING

    return value


def _read(segments: list[JSONPathSegment], at_paths: list[Path], reads: list[Path], at: Place, *, nested: bool = False) -> None:
    """Add to `reads` every path that the segments can read from any of `at_paths`."""
    here = at_paths
    for segment in segments:
        selector = segment.selectors[0]
        if _descends(segment):
            break
        match selector:
            case NameSelector():
                here = [(*path, selector.name) for path in here]
            case IndexSelector() | SliceSelector() | WildcardSelector():
                here = [(*path, ANY) for path in here]
            case Filter() if not nested:
                here = [(*path, ANY) for path in here]
                _read_filter(selector.expression, here, reads, at)
            case _:
                raise Unusable(at, "A filter inside a filter is not taken; filter with `when` instead.")
    reads += here


def _read_filter(expression: BaseExpression, here: list[Path], reads: list[Path], at: Place) -> None:
    if isinstance(expression, RootFilterQuery):
        raise Unusable(at, "A filter may ask its own element (@) only.")
    if isinstance(expression, RelativeFilterQuery):
        segments = list(expression.path.segments)
        if any(len(segment.selectors) != 1 or _descends(segment) for segment in segments):
            raise Unusable(at, "Inside a filter names, indexes and [*] are taken.")
        _read(segments, here, reads, at, nested=True)
        return
    for child in expression.children():
        _read_filter(child, here, reads, at)


def _walk(node: Any, steps: Path, location: Location) -> Iterator[tuple[Location, Any]]:
    if not steps:
        yield location, node
        return
    step, rest = steps[0], steps[1:]
    if not isinstance(step, str | int):
        members = enumerate(node) if type(node) is list else node.items() if type(node) is dict else ()
        for key, child in members:
            yield from _walk(child, rest, (*location, key))
    elif isinstance(node, dict):
        if step in node:
            yield from _walk(node[step], rest, (*location, step))
    elif type(node) is list and step == 0 and node:
        yield from _walk(node[0], rest, (*location, 0))
