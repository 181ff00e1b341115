"""Tokens to a tree, by precedence climbing. https://hl7.org/fhirpath/N1/#operator-precedence"""

from decimal import Decimal
from typing import Any, Final

from fhir_profiles.fhirpath.errors import FhirPathSyntaxError
from fhir_profiles.fhirpath.lexer import Token, tokens
from fhir_profiles.fhirpath.syntax import (
    Binary,
    Call,
    Constant,
    Expression,
    Item,
    Literal,
    Name,
    Path,
    Sign,
    TypeName,
    TypeTest,
    Variable,
)
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import CALENDAR_UNITS, Quantity

DEPTH_MAX: Final = 150
"""Of the tree: closures call each other as deep as it goes."""

_BINDING: Final = {
    **dict.fromkeys(["*", "/", "div", "mod"], 11),
    **dict.fromkeys(["+", "-", "&"], 10),
    **dict.fromkeys(["is", "as"], 9),
    "|": 8,
    **dict.fromkeys(["<", "<=", ">", ">="], 7),
    **dict.fromkeys(["=", "~", "!=", "!~"], 6),
    **dict.fromkeys(["in", "contains"], 5),
    "and": 4,
    **dict.fromkeys(["or", "xor"], 3),
    "implies": 2,
}
"""How strongly an operator binds; all of them to the left."""
_KEYWORDS: Final = {"true": (True,), "false": (False,)}
_RESERVED: Final = frozenset({"and", "or", "xor", "implies", "div", "mod"})


def parse(expression: str) -> Expression:
    """Raises FhirPathSyntaxError."""
    return _Parser(tokens(expression)).whole()


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def whole(self) -> Expression:
        made = self.expression(0)
        if self.token.kind != "end":
            raise self.refusal("an operator or the end")
        return made

    def refusal(self, wanted: str) -> FhirPathSyntaxError:
        return FhirPathSyntaxError(f"{wanted} is expected at character {self.token.at + 1}")

    def is_symbol(self, *symbols: str) -> bool:
        return self.token.kind == "symbol" and self.token.text in symbols

    def take(self, symbol: str) -> None:
        if not self.is_symbol(symbol):
            raise self.refusal(symbol)
        self.at += 1

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise FhirPathSyntaxError(f"an expression is at most {DEPTH_MAX} levels deep")

    def expression(self, binding: int) -> Expression:
        """Everything that binds more strongly than `binding`."""
        before = self.depth
        self.deeper()
        left = self.unary()
        while (strength := self.operator()) > binding:
            self.deeper()
            operator = self.token.text
            self.at += 1
            if operator in {"is", "as"}:
                left = TypeTest(operator, left, self.type_name())
            else:
                left = Binary(operator, left, self.expression(strength))
        self.depth = before
        return left

    def operator(self) -> int:
        return _BINDING.get(self.token.text, 0) if self.token.kind in {"symbol", "name"} else 0

    def unary(self) -> Expression:
        if self.is_symbol("+", "-"):
            sign = self.token.text
            self.at += 1
            self.deeper()
            operand = self.unary()
            return Sign(operand) if sign == "-" else operand
        return self.postfix()

    def postfix(self) -> Expression:
        left = self.term()
        while self.is_symbol(".", "["):
            self.deeper()
            if self.is_symbol("["):
                self.at += 1
                left = Item(left, self.expression(0))
                self.take("]")
            else:
                self.at += 1
                left = Path(left, self.invocation(rooted=False))
        return left

    def term(self) -> Expression:
        token = self.token
        if token.kind in {"name", "quoted", "variable"} and token.text not in (_KEYWORDS if token.kind == "name" else ()):
            return self.invocation(rooted=True)
        self.at += 1
        if token.kind == "constant":
            return Constant(token.text)
        if token.kind == "symbol" and token.text == "(":
            inner = self.expression(0)
            self.take(")")
            return inner
        if token.kind == "symbol" and token.text == "{":
            self.take("}")
            return Literal(())
        self.at -= 1
        return Literal(self.literal())

    def literal(self) -> tuple[Any, ...]:
        token = self.token
        self.at += 1
        if token.kind == "string":
            return (token.text,)
        if token.kind == "name" and token.text in _KEYWORDS:
            return _KEYWORDS[token.text]
        if token.kind == "number":
            return (self.number(token.text),)
        if token.kind in {"datetime", "time"}:
            return (self.moment(token),)
        self.at -= 1
        raise self.refusal("a term")

    def number(self, text: str) -> Any:
        """With a unit it is a quantity: `4 days`, `4.5 'mg'`."""
        unit = self.token
        if unit.kind == "string" or (unit.kind == "name" and unit.text in CALENDAR_UNITS):
            self.at += 1
            return Quantity.of(Decimal(text), unit.text if unit.kind == "string" else CALENDAR_UNITS[unit.text])
        return Decimal(text) if "." in text else int(text)

    def moment(self, token: Token) -> Temporal:
        made = Temporal.parse(token.text)
        if made is None:
            raise FhirPathSyntaxError(f"no such date or time, at character {token.at + 1}")
        return made

    def invocation(self, *, rooted: bool) -> Expression:
        token = self.token
        if token.kind not in {"name", "quoted", "variable"} or (rooted and token.kind == "name" and token.text in _RESERVED):
            raise self.refusal("an element or a function")
        self.at += 1
        if token.kind == "variable":
            return Variable(token.text)
        if not self.is_symbol("("):
            return Name(token.text, rooted)
        self.at += 1
        return Call(token.text, self.arguments())

    def arguments(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while not self.is_symbol(")"):
            if found:
                self.take(",")
            found.append(self.expression(0))
        self.at += 1
        return tuple(found)

    def type_name(self) -> TypeName:
        first = self.type_part()
        if self.is_symbol("."):
            self.at += 1
            return TypeName(first, self.type_part())
        return TypeName(None, first)

    def type_part(self) -> str:
        if self.token.kind not in {"name", "quoted"}:
            raise self.refusal("a type")
        self.at += 1
        return self.tokens[self.at - 1].text
