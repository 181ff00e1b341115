"""hub audit query | verify | export: the compliance officer's side. Asking is itself recorded."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pymongo import AsyncMongoClient
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from audit.checkpoint import read_heads
from audit.finding import Finding
from audit.queries import LIMIT_DEFAULT, LIMIT_MAX, TITLES, AuditQuery, as_json, audit_query, cells, row
from audit.record import Draft
from audit.verify import records_of, verify
from hub.cli.common import DataDir, Json, MongodbUrl, Reason, said_clearly, settings_with
from hub.cli.saying import fail, stderr, table
from hub.instants import from_person
from hub.operator import Operator
from hub.settings import Settings
from hub.store.embedded import Endpoint, sharing
from hub.store.mongo_log import asked, log_snapshot
from hub.vault import AUDIT_TYPE
from hub.wiring import Hub, open_hub

app = typer.Typer(no_args_is_help=True)

Patient = Annotated[str | None, typer.Option("--patient", help="Patient/ID whose data it was about.")]
ClientOption = Annotated[str | None, typer.Option("--client", help="client_id that asked.")]
User = Annotated[str | None, typer.Option("--user", help="Operating-system user of a command, or the id of an account.")]
Person = Annotated[str | None, typer.Option("--person", help="Practitioner/ID or Patient/ID who acted through an app.")]
Organization = Annotated[str | None, typer.Option("--organization", help="Organization/ID on whose behalf.")]
Issuer = Annotated[str | None, typer.Option("--issuer", help="The other authorization server that vouched for the client.")]
Entity = Annotated[str | None, typer.Option("--entity", help="A resource that was named, e.g. Observation/ID.")]
Action = Annotated[str | None, typer.Option("--action", help="C, R, U, D or E.")]
Outcome = Annotated[str | None, typer.Option("--outcome", help="0 done, 4 refused, 8 failed.")]
From = Annotated[str | None, typer.Option("--from", help="2026-01-31 or with time.")]
To = Annotated[str | None, typer.Option("--to", help="End, not included.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=LIMIT_MAX)]


@app.command("query")
def query(
    patient: Patient = None,
    client: ClientOption = None,
    user: User = None,
    person: Person = None,
    organization: Organization = None,
    issuer: Issuer = None,
    entity: Entity = None,
    action: Action = None,
    outcome: Outcome = None,
    from_: From = None,
    to: To = None,
    limit: Limit = LIMIT_DEFAULT,
    as_json_: Json = False,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Who did what, newest first. The question itself is recorded, under your user and the reason given."""
    asker = {"client": client, "user": user, "person": person, "organization": organization, "issuer": issuer}
    words = {**asker, "entity": entity, "action": action, "outcome": outcome}
    period = {"from_us": _moment(from_, "--from"), "to_us": _moment(to, "--to")}
    found = _ask(data_dir, mongodb_url, _reason(reason), patient, {**words, **period, "limit": limit})
    rows = [row(resource) for resource in found]
    if as_json_ or not sys.stdout.isatty():
        typer.echo(json.dumps(as_json(rows), indent=2))
    else:
        table("Audit", list(TITLES), [list(cells(one)) for one in rows])


@app.command("export")
def export(
    patient: Patient = None,
    client: ClientOption = None,
    from_: From = None,
    to: To = None,
    limit: Limit = LIMIT_MAX,
    reason: Reason = None,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """AuditEvents as NDJSON, newest first."""
    period = {"from_us": _moment(from_, "--from"), "to_us": _moment(to, "--to")}
    for resource in _ask(data_dir, mongodb_url, _reason(reason), patient, {"client": client, **period, "limit": limit}, "audit-export"):
        sys.stdout.buffer.write(orjson.dumps(resource) + b"\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    findings: list[Finding]
    documents: int


@app.command("verify")
def verify_(as_json_: Json = False, reason: Reason = None, data_dir: DataDir = None, mongodb_url: MongodbUrl = None) -> None:
    """Walk every chain, compare with the signed heads and with what is stored; exit code 1 names what does not fit."""
    settings = settings_with(data_dir=data_dir, mongodb_url=mongodb_url)
    url = settings.mongodb_url.get_secret_value() if settings.mongodb_url else None
    with said_clearly(), sharing(settings.data_dir, url, cache_gb=settings.mongodb_cache_gb) as endpoint:
        done = _verified(settings, endpoint, reason)
    if as_json_:
        typer.echo(json.dumps({"documents": done.documents, "findings": [_shown(one) for one in done.findings]}, indent=2))
    else:
        for one in done.findings:
            typer.echo(f"{one.code}: {one.text}")
        typer.echo(f"{done.documents} records and resources read, {len(done.findings) or 'no'} findings", err=True)
    if done.findings:
        raise typer.Exit(1)


def _verified(settings: Settings, endpoint: Endpoint, reason: str | None) -> Verification:
    async def act() -> Any:
        async with open_hub(settings, endpoint, settings.origin) as hub, Operator(hub, reason).recording("audit-verify"):
            return hub.heads, hub.head_key.public_key()

    heads_dir, public_key = asyncio.run(act())
    # Heads first: a chain may have grown beyond its head meanwhile, never shrunk below it (audit.checkpoint).
    heads = read_heads(heads_dir, public_key)
    columns = (TextColumn("verify"), BarColumn(), TextColumn("{task.completed:,.0f}"), TimeRemainingColumn())
    with log_snapshot(endpoint.url) as log, Progress(*columns, console=stderr, transient=True) as progress:
        task = progress.add_task("verify", total=log.size())
        seen = 0

        def step(count: int) -> None:
            nonlocal seen
            seen = count
            progress.update(task, completed=count)

        findings = verify(records_of(log.documents()), heads, log.current(), progress=step)
        return Verification(findings=findings, documents=seen)


def _ask(
    data_dir: Path | None,
    mongodb_url: str | None,
    reason: str | None,
    patient: str | None,
    words: dict[str, Any],
    kind: str = "audit-query",
) -> list[dict[str, Any]]:
    settings = settings_with(data_dir=data_dir, mongodb_url=mongodb_url)
    url = settings.mongodb_url.get_secret_value() if settings.mongodb_url else None
    with said_clearly(), sharing(settings.data_dir, url, cache_gb=settings.mongodb_cache_gb) as endpoint:
        return asyncio.run(_asked(settings, endpoint, reason, patient, words, kind))
    raise AssertionError("unreachable")


async def _asked(
    settings: Settings, endpoint: Endpoint, reason: str | None, patient: str | None, words: dict[str, Any], kind: str
) -> list[dict[str, Any]]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(endpoint.url)
    try:
        async with open_hub(settings, endpoint, settings.origin) as hub:
            blind = hub.services.blind
            question = audit_query(
                token=blind.token, patient_token=lambda reference: blind.patient(_patient_id(reference)), patient=patient, **words
            )
            async with Operator(hub, reason).recording(kind) as recording:
                if question.patient is not None:
                    recording.aim_patient(question.patient)
                return await _opened(hub, client, question)
    finally:
        await client.close()


async def _opened(hub: Hub, client: AsyncMongoClient[dict[str, Any]], question: AuditQuery) -> list[dict[str, Any]]:
    drafts = await asked(client, question)
    vault = hub.services.vault
    keys = await vault.keys(sorted({draft.key_id for draft in drafts}))
    return [orjson.loads(_plain(vault, keys, draft)) for draft in drafts if draft.key_id in keys]


def _plain(vault: Any, keys: Any, draft: Draft) -> bytes:
    owner = None if draft.key_id == b"system" else draft.key_id
    plain: bytes = vault.open_sealed(keys[draft.key_id], AUDIT_TYPE, draft.id, 1, owner, draft.sealed, purpose="audit")
    return plain


def _patient_id(reference: str) -> str:
    type, _, id = reference.partition("/")
    if type != "Patient" or not id:
        fail("write the patient as Patient/ID")
    return id


def _reason(given: str | None) -> str | None:
    """A person at a terminal is asked why; a script says it with --reason."""
    if given is not None or not sys.stdin.isatty():
        return given
    asked_for: str = typer.prompt("Why do you look at the log? (recorded)", default="", show_default=False, err=True)
    return asked_for or None


def _moment(text: str | None, flag: str) -> int | None:
    if text is None:
        return None
    try:
        return from_person(text)
    except ValueError as error:
        raise typer.BadParameter(f"{flag}: {error}") from None


def _shown(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "text": finding.text,
        "writer": finding.writer.hex() if finding.writer else None,
        "sequence": finding.sequence,
        "what": finding.what,
    }
