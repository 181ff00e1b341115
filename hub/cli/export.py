"""hub export: what is stored of a patient, for somebody else's system, through the HTTP API. Each page is on record like any other."""

from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import typer

from hub import numbers
from hub.cli.saying import fail, stderr
from hub.cli.token import BaseUrl, ClientId, Key, fetch_token

TIMEOUT_S = 120

app = typer.Typer(no_args_is_help=True)

Json = dict[str, Any]


@app.callback()
def group() -> None:
    """One command so far; the group keeps its name when there are more."""


@app.command()
def shape(
    name: Annotated[str, typer.Argument(metavar="SHAPE", help="phd, ans or hddt (docs/shapes.md).")],
    patient: Annotated[str, typer.Argument(help="Patient/ID")],
    base_url: BaseUrl,
    client_id: ClientId,
    key: Key,
    code: Annotated[list[str] | None, typer.Option("--code", help="Which measurements, as system|code; may be repeated.")] = None,
    start: Annotated[str | None, typer.Option("--start", help="Measured at this time or later.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Measured at this time or before.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="For ans: the OID of the software that sends, urn:oid:…")] = None,
    chunk_hours: Annotated[int | None, typer.Option("--chunk-hours", help="For hddt: how long a chunk is.")] = None,
) -> None:
    """Print what a patient's devices measured in another shape: one resource a line, devices too; what has no place goes to stderr."""
    of = patient.removeprefix("Patient/")
    given = {"code": ",".join(code or ()) or None, "start": start, "end": end, "source": source, "chunkHours": chunk_hours}
    asked = {"shape": name} | {parameter: str(value) for parameter, value in given.items() if value is not None}
    bearer = fetch_token(base_url, client_id, key)
    seen: set[str] = set()
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False, headers={"Authorization": f"Bearer {bearer}"}) as client:
        url = httpx.URL(f"{base_url.rstrip('/')}/fhir/Patient/{of}/$measures", params=asked)
        for entry in _entries(client, str(url)):
            if entry["search"]["mode"] == "outcome":
                for issue in entry["resource"]["issue"]:
                    stderr.print(issue["diagnostics"], highlight=False, markup=False)
            elif entry["fullUrl"] not in seen:  # devices come along with each page
                seen.add(entry["fullUrl"])
                typer.echo(numbers.dumps({"fullUrl": entry["fullUrl"], "resource": entry["resource"]}))


def _entries(client: httpx.Client, url: str) -> Iterator[Json]:
    """Page after page."""
    following: str | None = url
    while following is not None:
        try:
            answer = client.get(following)
        except httpx.HTTPError as error:
            fail(f"the hub does not answer ({type(error).__name__})")
        bundle = numbers.loads(answer.content)
        if answer.is_error:
            fail("; ".join(issue.get("diagnostics", issue["code"]) for issue in bundle.get("issue", [])))
        yield from bundle.get("entry", ())
        following = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
