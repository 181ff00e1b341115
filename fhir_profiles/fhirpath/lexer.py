"""Characters to tokens. https://hl7.org/fhirpath/N1/#lexical-elements"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from fhir_profiles.fhirpath.errors import FhirPathSyntaxError

EXPRESSION_CHARS_MAX: Final = 20_000

Kind = Literal["symbol", "name", "quoted", "string", "number", "datetime", "time", "constant", "variable", "end"]

_TOKEN: Final = re.compile(
    r"""
      (?P<space>(?:\s|//[^\n]*|/\*.*?\*/)+)
    | @(?P<time>T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)
    | @(?P<datetime>[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?
        (?:T(?:[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?)
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | '(?P<string>(?:[^'\\]|\\.)*)'
    | `(?P<quoted>(?:[^`\\]|\\.)*)`
    | %(?:(?P<constant>[A-Za-z_][A-Za-z0-9_\-]*)|'(?P<constant_string>(?:[^'\\]|\\.)*)'|`(?P<constant_quoted>(?:[^`\\]|\\.)*)`)
    | \$(?P<variable>this|index|total)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol><=|>=|!=|!~|[.,()\[\]{}+\-*/&|<>=~])
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
_PLAIN: Final = "'\"`\\/"


@dataclass(frozen=True, slots=True)
class Token:
    """`text` without quotes and signs, escapes resolved; `at` its place in the expression."""

    kind: Kind
    text: str
    at: int


def tokens(expression: str) -> list[Token]:
    """Raises FhirPathSyntaxError where no token of the language begins."""
    if len(expression) > EXPRESSION_CHARS_MAX:
        raise FhirPathSyntaxError(f"an expression has at most {EXPRESSION_CHARS_MAX} characters")
    found: list[Token] = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise FhirPathSyntaxError(f"nothing of FHIRPath begins at character {at + 1}")
        if match.lastgroup != "space":
            found.append(_token(match, at))
        at = match.end()
    return [*found, Token("end", "", at)]


def _token(match: re.Match[str], at: int) -> Token:
    group = str(match.lastgroup)
    text = match[group]
    if group in {"string", "quoted", "constant_string", "constant_quoted"}:
        text = _unescaped(text)
    kind: Kind = "constant" if group.startswith("constant") else group  # type: ignore[assignment]
    return Token(kind, text, at)


def _unescaped(text: str) -> str:
    """N1 section 4.1.2. A backslash before another character stays, as R4's own patterns write it."""
    return _ESCAPE.sub(_escaped, text) if "\\" in text else text


def _escaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return _ESCAPED.get(match[2]) or (match[2] if match[2] in _PLAIN else match[0])
