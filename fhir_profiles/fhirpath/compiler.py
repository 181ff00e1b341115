"""A tree to closures: each part becomes a function from a collection to a collection, or straight to a truth."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fhir_profiles.fhirpath import operators
from fhir_profiles.fhirpath.context import Frame
from fhir_profiles.fhirpath.errors import FhirPathEvaluationError, FhirPathSyntaxError
from fhir_profiles.fhirpath.functions import FUNCTIONS
from fhir_profiles.fhirpath.functions.combining import union
from fhir_profiles.fhirpath.functions.row import Function, Items, Run, Truth
from fhir_profiles.fhirpath.functions.subsetting import item
from fhir_profiles.fhirpath.node import Node
from fhir_profiles.fhirpath.syntax import Binary, Call, Constant, Expression, Item, Literal, Name, Path, Sign, TypeName, TypeTest, Variable
from fhir_profiles.fhirpath.typing import type_name, type_predicate
from fhir_profiles.fhirpath.values import UCUM

CONSTANTS: Final[Mapping[str, str]] = {"ucum": UCUM, "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
"""https://hl7.org/fhir/R4/fhirpath.html#variables"""
_TERMINOLOGY: Final = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}
_LOGIC: Final[Mapping[str, Callable[[bool | None, bool | None], bool | None]]] = {
    "and": operators.both,
    "or": operators.either,
    "xor": operators.one_of,
    "implies": operators.implies,
}
_SETTLED: Final[Mapping[str, bool]] = {"and": False, "or": True, "implies": False}
"""The left side that settles the matter, so that the right one is not asked. (For implies the answer is then true.)"""


class CompiledArguments:
    """`row.Arguments` of one call."""

    def __init__(self, expressions: tuple[Expression, ...]) -> None:
        self._expressions = expressions

    def __len__(self) -> int:
        return len(self._expressions)

    def run(self, index: int) -> Run:
        return run(self._expressions[index])

    def truth(self, index: int) -> Truth:
        return truth(self._expressions[index])

    def type(self, index: int) -> TypeName:
        return type_name(self._expressions[index])

    def expression(self, index: int) -> Expression:
        return self._expressions[index]


def run(expression: Expression) -> Run:
    """The closure that gives the collection. Raises FhirPathSyntaxError for what is not offered."""
    match expression:
        case Literal(values):
            constant = list(values)
            return lambda _, __: constant
        case Name(name, rooted):
            return _rooted(name) if rooted and name[:1].isupper() else _named(name)
        case Variable(name):
            return _variable(name)
        case Constant(name):
            return _constant(name)
        case Call(name, arguments):
            function = _function(name, arguments)
            if function.run is not None:
                return function.run(CompiledArguments(arguments))
        case _:
            composed = _composed(expression)
            if composed is not None:
                return composed
    return _listed(truth(expression))


def _composed(expression: Expression) -> Run | None:
    """None for what states something."""
    match expression:
        case Path(left, right):
            return _path(run(left), run(right))
        case Item(left, index):
            return _item(run(left), run(index))
        case Sign(operand):
            inner = run(operand)
            return lambda focus, frame: operators.negative(inner(focus, frame))
        case TypeTest("as", operand, type):
            return _as(run(operand), type)
        case Binary(operator, left, right) if operator in _COLLECTING:
            return _binary(_COLLECTING[operator], run(left), run(right))
    return None


def truth(expression: Expression) -> Truth:
    """The closure that says true, false or nothing, without a collection in between where the expression is a statement."""
    match expression:
        case Call(name, arguments):
            function = _function(name, arguments)
            if function.truth is not None:
                return function.truth(CompiledArguments(arguments))
        case Path(left, right):
            return _then(left, right)
        case TypeTest("is", operand, type):
            return _is(run(operand), type)
        case Binary(operator, left, right) if operator in _LOGIC:
            return _logic(operator, truth(left), truth(right))
        case Binary(operator, left, right) if operator in _STATING:
            return _binary(_STATING[operator], run(left), run(right))
    collection = run(expression)
    return lambda focus, frame: operators.truth(collection(focus, frame))


def _listed(says: Truth) -> Run:
    def listed(focus: Items, frame: Frame) -> Items:
        value = says(focus, frame)
        return [] if value is None else [value]

    return listed


def _function(name: str, arguments: tuple[Expression, ...]) -> Function:
    function = FUNCTIONS.get(name)
    if function is None:
        raise FhirPathSyntaxError(f"there is no function {name}()")
    if not function.least <= len(arguments) <= function.most:
        raise FhirPathSyntaxError(f"{name}() takes another number of arguments")
    return function


def _named(name: str) -> Run:
    def named(focus: Items, frame: Frame) -> Items:
        found: list[Any] = []
        for one in focus:
            if type(one) is Node:
                one.named(name, found)
        frame.evaluation.spend(len(found) + 1)
        return found

    return named


def _rooted(name: str) -> Run:
    """https://hl7.org/fhirpath/N1/#path-selection: a type at the beginning keeps the items that are of it."""
    plain = _named(name)

    def rooted(focus: Items, frame: Frame) -> Items:
        kept = [one for one in focus if type(one) is Node and one.type.is_a(name, one.value)]
        return kept or plain(focus, frame)

    return rooted


def _variable(name: str) -> Run:
    if name == "this":
        return lambda _, frame: frame.this
    if name == "index":
        return lambda _, frame: [] if frame.index is None else [frame.index]
    return lambda _, frame: frame.total


def _constant(name: str) -> Run:
    if name in {"resource", "rootResource"}:
        attribute = "resource" if name == "resource" else "root"
        return lambda _, frame: [getattr(frame.evaluation, attribute)]
    if name == "context":
        return lambda _, frame: frame.evaluation.context
    known = CONSTANTS.get(name) or next(
        (base + name[len(prefix) :] for prefix, base in _TERMINOLOGY.items() if name.startswith(prefix)), None
    )
    if known is not None:
        constant = [known]
        return lambda _, __: constant

    def lent(_: Items, frame: Frame) -> Items:
        if name not in frame.evaluation.variables:
            raise FhirPathEvaluationError(f"nothing is known as %{name}")
        value = frame.evaluation.variables[name]
        return value if isinstance(value, list) else [value]

    return lent


def _path(left: Run, right: Run) -> Run:
    return lambda focus, frame: right(left(focus, frame), frame)


def _then(left: Expression, right: Expression) -> Truth:
    """`left.right` where a truth is wanted; `name.exists()` and `name.empty()` make no collection at all."""
    match left, right:
        case Name(name, rooted), Call("exists" | "empty" as function, ()) if not (rooted and name[:1].isupper()):
            return _there(name, wanted=function == "exists")
    before, after = run(left), truth(right)
    return lambda focus, frame: after(before(focus, frame), frame)


def _there(name: str, *, wanted: bool) -> Truth:
    def there(focus: Items, _: Frame) -> bool:
        return any(type(one) is Node and one.has(name) for one in focus) is wanted

    return there


def _item(left: Run, index: Run) -> Run:
    return lambda focus, frame: item(left(focus, frame), index(frame.this, frame))


def _as(operand: Run, type: TypeName) -> Run:
    is_type = type_predicate(type)
    return lambda focus, frame: [one for one in operand(focus, frame) if is_type(one)]


def _is(operand: Run, type: TypeName) -> Truth:
    is_type = type_predicate(type)

    def says(focus: Items, frame: Frame) -> bool | None:
        found = operand(focus, frame)
        if len(found) > 1:
            raise FhirPathEvaluationError("one item is needed where there are several")
        return is_type(found[0]) if found else None

    return says


def _logic(operator: str, left: Truth, right: Truth) -> Truth:
    combined, settled = _LOGIC[operator], _SETTLED.get(operator)

    def says(focus: Items, frame: Frame) -> bool | None:
        one = left(focus, frame)
        return combined(one, None if one is not None and one is settled else right(focus, frame))

    return says


def _binary(operation: Callable[[Items, Items], Any], left: Run, right: Run) -> Callable[[Items, Frame], Any]:
    return lambda focus, frame: operation(left(focus, frame), right(focus, frame))


def _calculating(operator: str) -> Callable[[Items, Items], Items]:
    return lambda left, right: operators.calculate(operator, left, right)


def _comparing(operator: str) -> Callable[[Items, Items], bool | None]:
    holds = operators.COMPARISONS[operator]

    def says(left: Items, right: Items) -> bool | None:
        order = operators.compare(left, right)
        return None if order is None else holds(order)

    return says


def _unequal(left: Items, right: Items) -> bool | None:
    same = operators.equal(left, right)
    return None if same is None else not same


def _in(left: Items, right: Items) -> bool | None:
    """https://hl7.org/fhirpath/N1/#in-membership"""
    if not left:
        return None
    if len(left) > 1:
        raise FhirPathEvaluationError("one item is needed where there are several")
    return operators.contains(right, operators.system(left[0]))


_COLLECTING: Final[Mapping[str, Callable[[Items, Items], Items]]] = {
    "|": union,
    **{operator: _calculating(operator) for operator in ("+", "-", "*", "/", "div", "mod", "&")},
}
_STATING: Final[Mapping[str, Callable[[Items, Items], bool | None]]] = {
    "=": operators.equal,
    "!=": _unequal,
    "~": operators.equivalent,
    "!~": lambda left, right: not operators.equivalent(left, right),
    "in": _in,
    "contains": lambda left, right: _in(right, left),
    **{operator: _comparing(operator) for operator in operators.COMPARISONS},
}
