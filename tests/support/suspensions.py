"""Where coroutines wait, counted, so that a test can act at each such place: cancel, or end the process."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def each_await(at: Callable[[int], None]) -> Iterator[None]:
    """`at` is called with the number (from 1) of each await that waits, over all tasks that are made inside the block."""
    loop, number = asyncio.get_running_loop(), 0

    def count() -> None:
        nonlocal number
        number += 1
        at(number)

    def counted(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **more: Any) -> "asyncio.Task[Any]":
        return asyncio.Task(_Counted(work, count), loop=loop, **more)

    loop.set_task_factory(counted)
    try:
        yield
    finally:
        loop.set_task_factory(None)


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine as it is; `at` is called each time it has done something and waits."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], at: Callable[[], None]) -> None:
        self._coroutine, self._at = coroutine, at

    def send(self, value: Any) -> Any:
        return self._waits(self._coroutine.send(value))

    def throw(self, *error: Any) -> Any:
        return self._waits(self._coroutine.throw(*error))

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def _waits(self, waits_for: Any) -> Any:
        self._at()
        return waits_for
