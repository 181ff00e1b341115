"""hub doctor: is everything here that the hub needs? Says what to do where it is not."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import typer

from adapters.discovery import adapters
from hub.cli.common import DataDir, Json, MongodbUrl, settings_with, table
from hub.settings import Settings
from hub.store.embedded import NoDatabase, require_usable
from hub.store.embedded.binary import find_mongod
from hub.wiring import KEY_FILE
from security.kms.local import KeyFileError, read_key_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    what: str
    well: bool
    text: str


def doctor(as_json: Json = False, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Look at database, keys and adapters without changing anything; exit code 1 if something is missing."""
    settings = settings_with(data_dir=data_dir, mongodb_url=mongodb_url)
    checks = [check(settings) for check in CHECKS]
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in checks], indent=2))
    else:
        table("Doctor", ["", "what", ""], [["ok" if one.well else "!!", one.what, one.text] for one in checks])
    if not all(one.well for one in checks):
        raise typer.Exit(1)


def _database(settings: Settings) -> Check:
    try:
        if settings.mongodb_url:
            require_usable(settings.mongodb_url.get_secret_value())
            return Check(what="database", well=True, text="your MongoDB answers and has transactions")
        return Check(what="database", well=True, text=f"embedded, {find_mongod()}")
    except NoDatabase as error:
        return Check(what="database", well=False, text=str(error))


def _key_file(settings: Settings) -> Check:
    path = settings.data_dir / KEY_FILE
    if not path.exists():
        return Check(what="master key", well=True, text="none yet; made at the first start")
    try:
        versions = read_key_file(path)
    except (KeyFileError, OSError) as error:
        return Check(what="master key", well=False, text=str(error))
    return Check(what="master key", well=True, text=f"{len(versions)} version(s), readable by its owner only")


def _adapters(_: Settings) -> Check:
    found = sorted(adapters())
    return Check(what="adapters", well=bool(found), text=", ".join(found) or "none installed: reinstall the package")


CHECKS: tuple[Callable[[Settings], Check], ...] = (_database, _key_file, _adapters)
