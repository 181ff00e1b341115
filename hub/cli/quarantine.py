"""hub quarantine list | counts | show | replay | discard."""

import json
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hub.cli.common import DataDir, Json, MongodbUrl, Reason, in_hub
from hub.cli.saying import stderr, table
from hub.ingest.quarantine import counted, discard, looked_at, named, summaries, wanted
from hub.ingest.replay import How, pages, replay_as_sent
from hub.ingest.sender import Senders
from hub.instants import from_person, now_us
from hub.operator import Operator, OperatorError, user_name
from hub.store.protocol import Quarantined
from hub.store.quarantine import WaitingAsked
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)

LIST_MAX = 10_000
EVERYTHING_MAX = 1_000_000_000
DAY_US = 86_400_000_000
NOT_ALL = "not all of these ids wait; hub quarantine list shows what does"

Ids = Annotated[list[str] | None, typer.Argument(help="Ids from `hub quarantine list`.")]
Everything = Annotated[bool, typer.Option("--all", help="All that waits.")]
OfAdapter = Annotated[str | None, typer.Option("--adapter", help="Only what this adapter read.")]
OfCode = Annotated[str | None, typer.Option("--code", help="Only what waits for this cause.")]
OfClient = Annotated[str | None, typer.Option("--client", help="Only what this client sent.")]
Since = Annotated[str | None, typer.Option("--since", help="Received at this time or later.")]
Until = Annotated[str | None, typer.Option("--until", help="Received before this time.")]
OlderThan = Annotated[int | None, typer.Option("--older-than", min=0, max=36_500, help="Waiting for more than so many days.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """The filters of a command. `ids`: just these."""

    ids: tuple[str, ...] | None = None
    adapter: str | None = None
    code: str | None = None
    client: str | None = None
    since: str | None = None
    until: str | None = None
    older_than: int | None = None

    @property
    def none(self) -> bool:
        return self == Which()

    def asked(self) -> WaitingAsked:
        """Raises typer.BadParameter."""
        now, until = now_us(), _moment(self.until)
        if self.older_than is not None:
            before = now - self.older_than * DAY_US
            until = before if until is None else min(until, before)
        return wanted(
            now_us=now,
            client=self.client,
            adapter=self.adapter,
            code=self.code,
            since_us=_moment(self.since),
            until_us=until,
            ids=self.ids,
        )


@app.command("list")
def list_(
    adapter: OfAdapter = None,
    code: OfCode = None,
    client: OfClient = None,
    since: Since = None,
    until: Until = None,
    older_than: OlderThan = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIST_MAX, help="At most so many, oldest first.")] = LIST_MAX,
    as_json: Json = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """What waits and why; values are not shown."""
    asked = Which(adapter=adapter, code=code, client=client, since=since, until=until, older_than=older_than).asked()

    async def act(hub: Hub) -> list[dict[str, Any]]:
        async with Operator(hub, reason).recording("quarantine-list"):
            found = await hub.services.store.quarantine.page(asked, limit)
            return await summaries(hub.services, found, sender=True)

    found = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        columns = ["id", "client", "adapter", "code", "pointer", "received"]
        table("Quarantine", columns, [[str(one[column]) for column in columns] for one in found])


@app.command("counts")
def counts(
    adapter: OfAdapter = None,
    client: OfClient = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """How many items wait for which cause."""
    asked = Which(adapter=adapter, client=client, since=since, until=until).asked()

    async def act(hub: Hub) -> list[dict[str, Any]]:
        async with Operator(hub, reason).recording("quarantine-list"):
            return await counted(hub.services, asked)

    found = in_hub(data_dir, mongodb_url, act)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        columns = ["adapter", "code", "count", "oldest", "newest"]
        table("Quarantine", columns, [[str(one[column]) for column in columns] for one in found])


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="From `hub quarantine list`.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the audit log. Health data is shown.")],
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """One item with what it says, as JSON."""

    async def act(hub: Hub) -> dict[str, Any]:
        recording = Operator(hub, reason).recording("quarantine-read", path=f"/quarantine/{id}")
        async with recording:
            (one,) = await _named(hub, (id,))
            return await looked_at(recording, hub.services, one)

    typer.echo(json.dumps(in_hub(data_dir, mongodb_url, act), indent=2, ensure_ascii=False))


@app.command("replay")
def replay(
    ids: Ids = None,
    everything: Everything = False,
    adapter: OfAdapter = None,
    code: OfCode = None,
    client: OfClient = None,
    since: Since = None,
    until: Until = None,
    older_than: OlderThan = None,
    device: Annotated[str | None, typer.Option("--device", help="The unit, where the payload did not say it.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="IANA zone of wall-clock times.")] = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Take items through the pipeline again, as the client that sent them; one JSON line per item, batch by batch."""
    which = _which(ids, everything, Which(adapter=adapter, code=code, client=client, since=since, until=until, older_than=older_than))
    how = How(device=device, time_zone=time_zone)

    async def act(hub: Hub) -> None:
        total = await _total(hub, which)
        with _progress() as progress:
            task = progress.add_task("replayed", total=total)
            senders = Senders(services=hub.services, find_client=hub.oauth.find_client, user=user_name(), reason=reason)
            async for count, answers in replay_as_sent(senders, which.asked(), how, EVERYTHING_MAX):
                for answer in answers:
                    typer.echo(json.dumps(answer.to_json()))
                progress.advance(task, count)

    in_hub(data_dir, mongodb_url, act)


@app.command("discard")
def discard_(
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the audit log.")],
    ids: Ids = None,
    everything: Everything = False,
    adapter: OfAdapter = None,
    code: OfCode = None,
    client: OfClient = None,
    since: Since = None,
    until: Until = None,
    older_than: OlderThan = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Give up on items, for good. Prints how many as JSON."""
    which = _which(ids, everything, Which(adapter=adapter, code=code, client=client, since=since, until=until, older_than=older_than))

    async def act(hub: Hub) -> int:
        done, total = 0, await _total(hub, which)
        with _progress() as progress:
            task = progress.add_task("discarded", total=total)
            async for page in pages(hub.services, which.asked(), EVERYTHING_MAX):
                recording = Operator(hub, reason).recording("quarantine-discard", path="/quarantine/discard", query=named(page))
                async with recording:
                    done += await discard(recording, hub.services, page)
                progress.advance(task, len(page))
        return done

    typer.echo(json.dumps({"discarded": in_hub(data_dir, mongodb_url, act)}))


async def _named(hub: Hub, ids: tuple[str, ...]) -> list[Quarantined]:
    """Raises OperatorError unless all of them wait."""
    found = list(await hub.services.store.quarantine.page(wanted(now_us=now_us(), ids=ids), len(ids)))
    if len(found) < len(set(ids)):
        raise OperatorError(NOT_ALL)
    return found


async def _total(hub: Hub, which: Which) -> int:
    total = await hub.services.store.quarantine.count(which.asked())
    if which.ids is not None and total < len(set(which.ids)):
        raise OperatorError(NOT_ALL)
    return total


def _which(ids: list[str] | None, everything: bool, which: Which) -> Which:
    """Exactly one way of saying which items."""
    if [bool(ids), everything, not which.none].count(True) != 1:
        raise typer.BadParameter("give ids, or filters, or --all")
    return replace(which, ids=tuple(ids)) if ids else which


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return from_person(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=stderr, transient=True)
