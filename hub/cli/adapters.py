"""hub adapters list | levels | measures | schema | new | test | simulate | certify | verify."""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, cast, get_args

import httpx
import typer
from rich.progress import Progress

from adapters.contract import Transport
from adapters.declarative import schema
from adapters.discovery import adapters
from adapters.kit import levels, matrix
from adapters.kit.examine import examine, level
from adapters.kit.rule import Result
from adapters.kit.rulebook import RULES
from adapters.kit.simulation import FAULTS, UNITS_OF_A_SEED, Fault, NoSense, NoSimulator, Plan, payloads
from adapters.reading import TimeKind
from hub.cli.common import DataDir, Json, MongodbUrl, in_hub
from hub.cli.kit import golden, page, report, scaffold, simulate
from hub.cli.kit.subject import EXEMPTIONS, Found, NoSubject, find
from hub.cli.prover import Prover
from hub.cli.saying import fail, stderr, table
from hub.instants import fhir_instant, now_us
from hub.wiring import Hub

app = typer.Typer(no_args_is_help=True)

TRANSPORTS: Final[tuple[str, ...]] = get_args(Transport)
DAYS_MAX: Final = 1_000
SEED_MAX: Final = 10_000

Which = Annotated[str, typer.Argument(help="Name of an installed adapter, or the folder of one (with its pyproject.toml).")]
Fixtures = Annotated[Path | None, typer.Option("--fixtures", help="Folder of fixtures; default: where the adapter keeps them.")]
MARKS: Mapping[str, str] = {"pass": "ok", "fail": "FAILS", "exempt": "exempt", "not-applicable": "-", "unproven": "unproven"}


@app.callback()
def _group() -> None:
    """Products and formats the hub reads."""


@app.command("list")
def list_(
    as_json: Json = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The page docs/devices.md.")] = False,
    product: Annotated[str | None, typer.Argument(help="Only this adapter.")] = None,
) -> None:
    """The adapters that are installed: what each measures, how it arrives, what kinds of time it has, what it was held against."""
    found = [one.manifest for name, one in adapters().items() if product in (None, name)]
    if as_json:
        typer.echo(json.dumps(matrix.objects(found), indent=2))
    elif as_markdown:
        typer.echo(matrix.markdown(found), nl=False)
    else:
        table("Adapters", list(matrix.COLUMNS), matrix.rows(found))


@app.command("levels")
def levels_(
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the file adapters/kit/levels.json, from which the matrix is made.")
    ] = None,
) -> None:
    """The conformance kit on every adapter that is installed: a line for each. Takes minutes."""
    made = {}
    for name in adapters():
        found = subject_of(name, None)
        made[name] = levels.entry(found.adapter.manifest, examined(found))
        typer.echo(f"{name} {made[name]['level'] or 'none'}")
    if write is not None:
        write.write_text(levels.written(made))


@app.command("measures")
def measures_(
    word: Annotated[str, typer.Argument(help="Only those with this word in them.")] = "",
    as_json: Json = False,
) -> None:
    """The catalogue: what can be measured, in which units (UCUM), within which bounds."""
    rows = matrix.catalogue(word)
    if as_json:
        typer.echo(json.dumps([dict(zip(matrix.OF_A_MEASURE, row, strict=True)) for row in rows], indent=2, ensure_ascii=False))
    else:
        table("Measures", list(matrix.OF_A_MEASURE), rows)


@app.command("schema")
def schema_() -> None:
    """The JSON Schema (2020-12) of declarative mappings, for editors: `# yaml-language-server: $schema=mapping.schema.json`."""
    typer.echo(schema().decode(), nl=False)


@app.command("test")
def conformance(
    which: Which,
    fixtures: Fixtures = None,
    write_golden: Annotated[
        bool, typer.Option("--write-golden", help="Write the FHIR that comes out beside each fixture, then test.")
    ] = False,
    show_all: Annotated[bool, typer.Option("--all", help="The rules that are met, too.")] = False,
    as_json: Json = False,
) -> None:
    """The conformance kit, offline: a row for each rule. Exit code 1 if an error is found."""
    found = subject_of(which, fixtures)
    if write_golden:
        for path in golden.write(found):
            stderr.print(f"wrote {path.name}: look at it", highlight=False)
    results = examined(found)
    if as_json:
        typer.echo(json.dumps([report.row(result) for result in results], indent=2))
    else:
        _shown(results, everything=show_all)
    reached = level(results)
    stderr.print(f"{found.adapter.manifest.name} {found.adapter.manifest.version}: level {reached or 'none'}", highlight=False)
    if any(result.status == "fail" and result.rule.severity == "error" for result in results):
        raise typer.Exit(1)


def subject_of(which: str, fixtures: Path | None) -> Found:
    try:
        return find(which, fixtures)
    except NoSubject as error:
        fail(str(error))


def examined(found: Found) -> list[Result]:
    """Every rule, with a bar for people."""
    try:
        subject, unknown = found.subject(), sorted(set(found.exemptions()) - {rule.id for rule in RULES})
    except NoSubject as error:
        fail(str(error))
    if unknown:
        fail(f"{found.fixtures / EXEMPTIONS}: there is no rule {', '.join(unknown)}; `hub adapters test --all` lists them")
    with Progress(console=stderr, transient=True) as progress:
        task = progress.add_task("conformance kit", total=len(RULES))
        made = examine(subject, found.exemptions(), advance=lambda rule: progress.update(task, advance=1, description=f"rule {rule.id}"))
        return list(made)


def _shown(results: Sequence[Result], *, everything: bool) -> None:
    """What is to be done first; what is met only if asked for, or else as a number."""
    order = ("fail", "unproven", "exempt", "not-applicable", "pass")
    told = [one for one in results if everything or one.status not in levels.SETTLED]
    cells = [
        [one.rule.id, one.rule.level, MARKS[one.status], "\n".join(one.hints) or one.rule.text]
        for one in sorted(told, key=lambda one: order.index(one.status))
    ]
    if cells:
        table("Conformance kit", ["rule", "level", "", "what"], cells)
    met = sum(one.status in levels.SETTLED for one in results)
    stderr.print(f"{met} of {len(results)} rules are met, or have no subject here", highlight=False)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="As in POST /ingest/NAME: lower case, digits, hyphens.")],
    product: Annotated[str | None, typer.Option("--product", help="What it is called, for people.")] = None,
    manufacturer: Annotated[str | None, typer.Option("--manufacturer", help="Who makes it.")] = None,
    transport: Annotated[list[str] | None, typer.Option("--transport", help=f"How payloads arrive: {', '.join(TRANSPORTS)}.")] = None,
    measure: Annotated[list[str] | None, typer.Option("--measure", help="Key of the catalogue; again for each.")] = None,
    time_kind: Annotated[str | None, typer.Option("--time-kind", help=f"Kind of its times: {', '.join(scaffold.KINDS)}.")] = None,
    format: Annotated[str | None, typer.Option("--format", help="json or csv.")] = None,
    declarative: Annotated[bool, typer.Option("--declarative", help="A mapping in YAML instead of code.")] = False,
    into: Annotated[Path, typer.Option("--into", help="Where the folder NAME is made.")] = Path(),
) -> None:
    """A package for a vendor's product: worksheet, mapping, reader, simulator, fixture, test. Asks for what is not given."""
    answers = scaffold.Answers(
        name=name,
        product=_asked("Product", product, ()),
        manufacturer=_asked("Manufacturer", manufacturer, ()),
        transports=cast("tuple[Transport, ...]", tuple(_several("Transport", transport, TRANSPORTS))),
        measures=tuple(_several("Measure", measure, ())),
        time_kind=cast("TimeKind", _asked("Kind of its times", time_kind, scaffold.KINDS)),
        format=cast("scaffold.Format", _asked("Format", format, tuple(scaffold.MEDIA_TYPES))),
        declarative=declarative,
    )
    try:
        folder = scaffold.make(answers, into)
    except scaffold.BadAnswer as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    typer.echo(str(folder))
    stderr.print(f"Fill in {folder}/WORKSHEET.md first; then: hub adapters test {folder}", highlight=False)


@app.command("simulate")
def simulate_(
    which: Which,
    patients: Annotated[int, typer.Option("--patients", min=1, max=UNITS_OF_A_SEED)] = 20,
    days: Annotated[int, typer.Option("--days", min=1, max=DAYS_MAX)] = 7,
    faults: Annotated[str, typer.Option("--faults", help=f"Of {', '.join(FAULTS)}; commas between them.")] = "",
    seed: Annotated[int, typer.Option("--seed", min=0, max=SEED_MAX, help="Another seed invents other people.")] = 1,
    until: Annotated[str | None, typer.Option("--until", help="First day without readings, 2026-01-31; default: today.")] = None,
    into: Annotated[Path | None, typer.Option("--into", help="Write the payloads there instead of sending them.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="A hub on this machine, e.g. http://127.0.0.1:8000")] = None,
    client_id: Annotated[str | None, typer.Option("--client-id", help="As `hub client add` printed it.")] = None,
    key: Annotated[Path | None, typer.Option("--key", help="The client's private key, PEM.")] = None,
    dpop: Annotated[bool, typer.Option("--dpop", help="The token is bound to a key made for this command (RFC 9449).")] = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    mongodb_url: MongodbUrl = None,
) -> None:
    """Payloads of people who do not exist, written or sent; exit code 1 if a fate is not the one that was expected."""
    adapter, last, wanted = subject_of(which, None).adapter, _day(until), _faults(faults)
    try:
        plan = Plan(adapter=adapter, patients=patients, days=days, seed=seed, until=last, faults=wanted)
        if into is not None:
            typer.echo(f"{len(simulate.write_files(plan, into))} payloads, and expected.json, in {into}")
            return
        if base_url is None or client_id is None or key is None:
            raise typer.BadParameter("say --into DIR, or --base-url, --client-id and --key of a hub on this machine")
        account = _Account(base_url, client_id, key, Prover.fresh() if dpop else None)
        tallies = _sent(plan, account, lambda act: in_hub(data_dir, mongodb_url, act))
    except NoSense as error:
        raise typer.BadParameter(f"--faults: {error}") from None
    except (NoSimulator, simulate.SendingFailed) as error:
        fail(str(error))
    _told(tallies, as_json=as_json)


@app.command("certify")
def certify(
    which: Which,
    key: Annotated[Path, typer.Option("--key", help="Your Ed25519 key, PEM; made if the file is not there.")],
    into: Annotated[Path, typer.Option("--into", help="Where the report is written.")] = Path(),
    fixtures: Fixtures = None,
) -> None:
    """The signed report of the conformance kit: JSON, and a page in English and in French. Exit code 1 below bronze."""
    found = subject_of(which, fixtures)
    results = examined(found)
    try:
        signing = report.key_of(key)
    except report.BadReport as error:
        fail(str(error))
    content = report.report(found, results, fhir_instant(now_us()))
    document = report.signed(content, signing)
    for path in _write_report(document, into):
        typer.echo(str(path))
    stderr.print(f"level {content['level'] or 'none'}, signed by {report.fingerprint(document)}", highlight=False)
    if content["level"] is None:
        raise typer.Exit(1)


@app.command("verify")
def verify(
    path: Annotated[Path, typer.Argument(metavar="REPORT", help="The JSON that `hub adapters certify` wrote.")],
    adapter: Annotated[str | None, typer.Option("--adapter", help="Name or folder: is this the code that was examined?")] = None,
    key: Annotated[str | None, typer.Option("--fingerprint", help="Of the key that must have signed it.")] = None,
) -> None:
    """Is the report as it was signed, by that key, about that code? Exit code 1 if not."""
    try:
        document = json.loads(path.read_text())
        content = report.verified(document)
    except (OSError, ValueError, report.BadReport) as error:
        fail(f"{path}: {error}")
    signer = report.fingerprint(document)
    if key is not None and key != signer:
        fail(f"{path}: signed by {signer}, not by {key}")
    if adapter is not None and subject_of(adapter, None).digest() != content["adapter"]["sha256"]:
        fail(f"{path}: is about other code than that of {adapter}")
    about = content["adapter"]
    found = {"adapter": about["name"], "version": about["version"], "level": content["level"], "kit": content["kit"], "signed_by": signer}
    typer.echo(json.dumps({**found, "made": content["made"], "code": "the same" if adapter is not None else "not compared"}, indent=2))


def _write_report(document: dict[str, Any], into: Path) -> list[Path]:
    about = document["report"]["adapter"]
    stem = f"{about['name']}-{about['version']}-report"
    into.mkdir(parents=True, exist_ok=True)
    made = [into / f"{stem}.json"]
    made[0].write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    for language, other in zip(page.LANGUAGES, page.LANGUAGES[::-1], strict=True):
        made.append(into / f"{stem}.{language}.html")
        made[-1].write_text(page.page(document, language, f"{stem}.{other}.html"))
    return made


class _Account(NamedTuple):
    """Where to send, as whom, and the key that tokens are bound to, if they are to be."""

    base_url: str
    client_id: str
    key: Path
    prover: Prover | None


def _sent(plan: Plan, account: _Account, run: Callable[[Callable[[Hub], Awaitable[None]]], None]) -> dict[str, Any]:
    """Make the patients, pair their devices, send."""
    with httpx.Client(timeout=simulate.TIMEOUT_S, trust_env=False) as http, Progress(console=stderr, transient=True) as progress:
        sender = simulate.Sender(http, *account)
        people = progress.add_task("patients", total=plan.patients)
        made = []
        for number in range(plan.patients):
            made.append(sender.patient(plan.seed, number))
            progress.advance(people)
        run(lambda hub: simulate.pair(hub, plan, made))
        sent = progress.add_task("payloads", total=payloads(plan))
        return simulate.send_all(plan, sender, lambda: progress.advance(sent))


def _told(tallies: dict[str, Any], *, as_json: bool) -> None:
    """What came of it, beside what was expected."""
    if as_json:
        rows = {
            what: {"payloads": one.batches, "expected": dict(one.expected), "found": dict(one.found), "unexpected": one.wrong}
            | ({"codes": dict(one.why)} if one.why else {})
            for what, one in tallies.items()
        }
        typer.echo(json.dumps(rows, indent=2))
    else:
        cells = [
            [what, str(one.batches), _fates(one.expected) or "nothing stored", _fates(one.found), _unexpected(one.wrong, one.why)]
            for what, one in tallies.items()
        ]
        table("Simulation", ["what", "payloads", "expected", "found", "unexpected"], cells)
    if any(one.wrong for one in tallies.values()):
        raise typer.Exit(1)


def _fates(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {fate}" for fate, count in sorted(counts.items()))


def _unexpected(wrong: int, why: Mapping[str, int]) -> str:
    """Payloads that became something else, and the codes that were given."""
    return f"{wrong}: {_fates(why)}" if why else str(wrong or "")


def _faults(text: str) -> frozenset[Fault]:
    named = {one.strip() for one in text.split(",") if one.strip()}
    if unknown := named - set(FAULTS):
        raise typer.BadParameter(f"--faults: there is no {', '.join(sorted(unknown))}; there are: {', '.join(FAULTS)}")
    return frozenset(cast("set[Fault]", named))


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text) if text is not None else date.fromisoformat(fhir_instant(now_us())[:10])
    except ValueError:
        raise typer.BadParameter("--until: write the day as 2026-01-31") from None


def _asked(what: str, given: str | None, choices: Sequence[str]) -> str:
    """The option, or what a person types; a script has to say it."""
    answer = given
    if answer is None and sys.stdin.isatty():
        answer = str(typer.prompt(f"{what} ({', '.join(choices)})" if choices else what))
    if answer is None:
        raise typer.BadParameter(f"{what} is missing; hub adapters new --help shows the options")
    if choices and answer not in choices:
        raise typer.BadParameter(f"{what}: one of {', '.join(choices)}")
    return answer


def _several(what: str, given: Sequence[str] | None, choices: Sequence[str]) -> list[str]:
    answers = given or _asked(f"{what}s, commas between them", None, ()).split(",")
    return [_asked(what, one.strip(), choices) for one in answers]
