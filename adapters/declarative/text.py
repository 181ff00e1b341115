"""The text of a mapping, YAML or JSON, as plain values that remember their lines.

Of YAML only what JSON has too (https://yaml.org/spec/1.2.2/, 10.2): no tags, no anchors, no keys given twice, and `no` is a word. Numbers
stay text, so that a scale of 0.10 keeps its digits.
"""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from adapters.declarative.failure import Fault, MappingError, Path

TEXT_CHARS_MAX = 256 * 1024
DEPTH_MAX = 24
_YAML_ADVICE = (
    ("'\\t'", "; indent with blanks"),
    ("that cannot start any token", "; put the value in quotes"),
    ("expected ',' or", "; a bracket is not closed, here or in the line before, or a text needs quotes"),
    ("undefined alias", "; a text that begins with * needs quotes"),
    ("mapping values are not allowed", "; a text with a colon needs quotes, or the line is indented too far"),
    ("expected <block end>", "; the line is indented otherwise than those above it"),
)
"""A word of the parser's complaint -> what to do."""
_CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


def read(text: str, name: str) -> tuple[Any, Mapping[Path, int]]:
    """Return the document and the line of each place in it. Raises MappingError."""
    if len(text) > TEXT_CHARS_MAX:
        raise MappingError(name, [Fault((), f"A mapping has at most {TEXT_CHARS_MAX} characters.")])
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _json(text.removeprefix("\ufeff"), name), {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        advice = next((what for sign, what in _YAML_ADVICE if sign in str(error.problem)), "")
        raise MappingError(name, [Fault((), f"This is no YAML: {error.problem}{advice}.", mark.line + 1 if mark else None)]) from None
    except (yaml.YAMLError, RecursionError):
        raise MappingError(name, [Fault((), "This is no YAML: a character that may not stand there, or nested too deep.")]) from None
    lines: dict[Path, int] = {}
    return _Reader(name, lines).value(node, ()), lines


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """Return the line of a place, or of the nearest one around it that is written down."""
    return next((lines[path[:length]] for length in range(len(path), -1, -1) if path[:length] in lines), None)


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise MappingError(name, [Fault((), f"This is no JSON: {error.msg}.", error.lineno)]) from None
    except RecursionError:
        raise MappingError(name, [Fault((), "This is nested too deep.")]) from None


class _Reader:
    """Nodes of YAML -> values; each node once, for an alias could make a small text endless."""

    def __init__(self, name: str, lines: dict[Path, int]) -> None:
        self.name, self.lines, self.seen = name, lines, set[int]()

    def value(self, node: yaml.Node | None, path: Path) -> Any:
        if node is None:
            return None
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self.seen:
            raise self._fault(path, "Anchors and aliases are not read: write it out, or use `defaults`.")
        self.seen.add(id(node))
        if len(path) > DEPTH_MAX:
            raise self._fault(path, f"A mapping is nested at most {DEPTH_MAX} levels.")
        if isinstance(node, yaml.MappingNode):
            return self._object(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _object(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._fault(path, "A key must be a word.")
            at = (*path, key.value)
            self.lines[at] = key.start_mark.line + 1
            if key.value in made:
                raise self._fault(at, "The key stands there twice.")
            made[key.value] = self.value(value, at)
        return made

    def _fault(self, path: Path, message: str) -> MappingError:
        return MappingError(self.name, [Fault(path, message, line_of(path, self.lines))])


def _scalar(node: yaml.Node) -> str | bool | None:
    text = str(node.value)
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return _CONSTANTS[text.lower()] if plain and text.lower() in _CONSTANTS else text
