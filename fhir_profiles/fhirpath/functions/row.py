"""What a function is to the compiler: how many arguments it takes, and how its closure is made of theirs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from fhir_profiles.fhirpath.context import Frame
from fhir_profiles.fhirpath.syntax import Expression, TypeName

Items = list[Any]
Run = Callable[[Items, Frame], Items]
Truth = Callable[[Items, Frame], bool | None]
Path = tuple[str, ...]


class Arguments(Protocol):
    """The arguments of one call, compiled as the function needs them: to a collection, to a truth, or read as a type."""

    def __len__(self) -> int: ...

    def run(self, index: int) -> Run: ...

    def truth(self, index: int) -> Truth: ...

    def type(self, index: int) -> TypeName: ...

    def expression(self, index: int) -> Expression: ...


@dataclass(frozen=True, slots=True)
class Function:
    """`run` or `truth` makes the closure; a function that says yes or no has the latter."""

    least: int
    most: int
    run: Callable[[Arguments], Run] | None = None
    truth: Callable[[Arguments], Truth] | None = None


def over(function: Callable[..., Items], least: int = 0, most: int | None = None) -> Function:
    """Of a Python function from collections to a collection: focus first, then the arguments, which see `$this`."""
    return Function(least, least if most is None else most, run=lambda arguments: _called(function, arguments))


def saying(function: Callable[..., bool | None], least: int = 0, most: int | None = None) -> Function:
    """The same for a function that says yes, no, or nothing."""
    return Function(least, least if most is None else most, truth=lambda arguments: _called(function, arguments))


def _called(function: Callable[..., Any], arguments: Arguments) -> Callable[[Items, Frame], Any]:
    runs = [arguments.run(index) for index in range(len(arguments))]
    if not runs:
        return lambda focus, _: function(focus)
    if len(runs) == 1:
        only = runs[0]
        return lambda focus, frame: function(focus, only(frame.this, frame))
    return lambda focus, frame: function(focus, *[run(frame.this, frame) for run in runs])


def each(focus: Items, frame: Frame) -> Iterator[Frame]:
    """One frame that is set to one item after the other."""
    frame.evaluation.spend(len(focus))
    inner = Frame(frame.evaluation, focus, total=frame.total)
    for index, item in enumerate(focus):
        inner.this = [item]
        inner.index = index
        yield inner
