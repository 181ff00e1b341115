"""hub adapters list | test."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from adapters.discovery import adapters
from adapters.kit import matrix
from adapters.kit.examine import examine, level
from adapters.kit.rule import Result
from adapters.kit.rulebook import RULES
from hub.cli.common import Json, fail, stderr, table
from hub.cli.kit import golden
from hub.cli.kit.subject import Found, NoSubject, find

app = typer.Typer(no_args_is_help=True)

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


@app.command("test")
def conformance(
    which: Which,
    fixtures: Fixtures = None,
    write_golden: Annotated[
        bool, typer.Option("--write-golden", help="Write the FHIR that comes out beside each fixture, then test.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The conformance kit, offline: a row for each rule. Exit code 1 if an error is found."""
    found = subject_of(which, fixtures)
    if write_golden:
        for path in golden.write(found):
            stderr.print(f"wrote {path.name}: look at it", highlight=False)
    results = examined(found)
    if as_json:
        typer.echo(json.dumps([row(result) for result in results], indent=2))
    else:
        _shown(results)
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
    with Progress(console=stderr, transient=True) as progress:
        task = progress.add_task("conformance kit", total=len(RULES))
        made = examine(
            found.subject(), found.exemptions(), advance=lambda rule: progress.update(task, advance=1, description=f"rule {rule.id}")
        )
        return list(made)


def row(result: Result) -> dict[str, object]:
    rule = result.rule
    return {
        "id": rule.id,
        "group": rule.group,
        "text": rule.text,
        "level": rule.level,
        "severity": rule.severity,
        "status": result.status,
        "hints": list(result.hints),
    }


def _shown(results: Sequence[Result]) -> None:
    cells = [[one.rule.id, one.rule.level, MARKS[one.status], "\n".join(one.hints) or one.rule.text] for one in results]
    table("Conformance kit", ["rule", "level", "", "what"], cells)
