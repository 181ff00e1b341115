"""What commands on the hub's data share: where it is, and how errors are said."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from hub.cli.saying import fail
from hub.errors import FhirError
from hub.operator import OperatorError
from hub.settings import Settings
from hub.store.embedded import AlreadyServed, NoDatabase, sharing
from hub.store.protocol import Conflict, Unavailable
from hub.wiring import Hub, open_hub

T = TypeVar("T")

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Directory of the hub's data (HUB_DATA_DIR).")]
MongodbUrl = Annotated[str | None, typer.Option("--mongodb-url", help="A MongoDB of your own (HUB_MONGODB_URL).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; goes into the audit log.")]


def settings_with(**given: Any) -> Settings:
    """The environment, and on top of it what was given as a flag. Wrong values are wrong use (exit code 2)."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "HUB_" + "_".join(map(str, first["loc"])).upper() if first["loc"] else "settings"
        raise typer.BadParameter(f"{name}: {first['msg']}") from None


@contextmanager
def said_clearly() -> Iterator[None]:
    """Expected failures as one line on stderr and exit code 1; never a traceback, never a value of a resource."""
    try:
        yield
    except (OperatorError, FhirError, AlreadyServed, NoDatabase) as error:
        fail(str(error))
    except UnicodeError:
        fail("an argument is not valid UTF-8")
    except Conflict:
        fail("somebody else changed the same at this moment; give the command again")
    except Unavailable as error:
        fail(f"the database does not answer ({error})")
    except BrokenPipeError:
        raise typer.Exit(1) from None


def in_hub(data_dir: Path | None, mongodb_url: str | None, act: Callable[[Hub], Awaitable[T]]) -> T:
    """Run `act` on the data, beside a serving hub or without one."""
    settings = settings_with(data_dir=data_dir, mongodb_url=mongodb_url)
    url = settings.mongodb_url.get_secret_value() if settings.mongodb_url else None

    async def run(endpoint: Any) -> T:
        async with open_hub(settings, endpoint, settings.origin) as hub:
            return await act(hub)

    with said_clearly(), sharing(settings.data_dir, url, cache_gb=settings.mongodb_cache_gb) as endpoint:
        return asyncio.run(run(endpoint))
    raise AssertionError("unreachable")  # said_clearly only swallows by raising typer.Exit
