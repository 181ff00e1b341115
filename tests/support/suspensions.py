"""Where a coroutine waits, counted, so that a test can act at each such place: cancel, or end the process."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


class Counted:
    """`await Counted(coroutine, at)`: the same, and `at` is called with the number of each suspension (from 1) before it begins."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], at: Callable[[int], None]) -> None:
        self._coroutine, self._at = coroutine, at
        self.number = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        resume: Callable[[], Any] = lambda: self._coroutine.send(None)  # noqa: E731
        while True:
            try:
                waits_for = resume()
            except StopIteration as ended:
                return ended.value
            self.number += 1
            self._at(self.number)
            try:
                sent = yield waits_for
            except BaseException as error:  # noqa: BLE001 - handed on to where it belongs
                resume = _thrown(self._coroutine, error)
            else:
                resume = _sent(self._coroutine, sent)


def _thrown(coroutine: Coroutine[Any, Any, T], error: BaseException) -> Callable[[], Any]:
    return lambda: coroutine.throw(error)


def _sent(coroutine: Coroutine[Any, Any, T], value: Any) -> Callable[[], Any]:
    return lambda: coroutine.send(value)
