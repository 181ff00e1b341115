"""hub doctor: is everything here that the hub needs? Says what to do where it is not."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

import typer

from adapters.discovery import adapters
from hub.cli.common import DataDir, Json, MongodbUrl, in_hub, settings_with
from hub.cli.saying import table
from hub.ingest.topics import TopicRow, TopicSyntax, parse_row
from hub.proxied import UNNAMED
from hub.settings import Settings
from hub.store.embedded import NoDatabase, require_usable
from hub.store.embedded.binary import find_mongod
from hub.wiring import KEY_FILE, Hub
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


def _mqtt(settings: Settings) -> Check:
    """What `hub mqtt` would say of its rows, which stop one by one."""
    try:
        rows = [parse_row(text) for text in settings.mqtt_topics]
    except TopicSyntax as error:
        return Check(what="mqtt", well=False, text=f"HUB_MQTT_TOPICS: {error}")
    if not rows:
        return Check(what="mqtt", well=True, text="no topic is read (HUB_MQTT_TOPICS)")
    if settings.mongodb_url is None and not (settings.data_dir / KEY_FILE).exists():
        return Check(what="mqtt", well=False, text="there is no client yet; hub client add registers one")
    try:
        faults = _row_faults(rows, _good(settings, {row.client for row in rows}))
    except typer.Exit:
        return Check(what="mqtt", well=False, text="the clients of the rows cannot be looked up")
    return Check(what="mqtt", well=not faults, text="; ".join(faults) or f"{len(rows)} row(s), each with its adapter and its client")


def _row_faults(rows: Iterable[TopicRow], good: Mapping[str, bool]) -> list[str]:
    named = [(f"row {number}", row) for number, row in enumerate(rows, start=1)]
    unread = [f"{name}: there is no adapter {row.adapter}" for name, row in named if row.adapter not in adapters()]
    return [*unread, *(f"{name} is stopped: {row.client} is not there or revoked" for name, row in named if not good[row.client])]


def _good(settings: Settings, clients: Iterable[str]) -> dict[str, bool]:
    """Which of them may send. Raises typer.Exit, with the reason on stderr, where the database cannot be asked."""

    async def act(hub: Hub) -> dict[str, bool]:
        found = {one: await hub.oauth.find_client(one) for one in clients}
        return {name: one is not None and one.revoked_us is None for name, one in found.items()}

    return in_hub(settings.data_dir, settings.mongodb_url.get_secret_value() if settings.mongodb_url else None, act)


def _proxy(settings: Settings) -> Check:
    """The hub cannot look into the network: it is seen from what clients are told."""
    if settings.has_unnamed_proxy:
        return Check(what="proxy", well=False, text=f"HUB_BASE_URL is https and the hub speaks http, so {UNNAMED}")
    return Check(what="proxy", well=True, text=", ".join(settings.proxy_networks) or "none")


CHECKS: tuple[Callable[[Settings], Check], ...] = (_database, _key_file, _adapters, _mqtt, _proxy)
