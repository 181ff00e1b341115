"""hub ingest: a vendor's files through the HTTP API, each item answered on a line of its own."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import Progress

from hub.cli.common import fail, stderr
from hub.cli.token import BaseUrl, ClientId, Key, fetch_token

TIMEOUT_S = 120


def ingest(
    adapter: Annotated[str, typer.Argument(help="As `hub adapters list` names it.")],
    files: Annotated[list[Path], typer.Argument(help="Payloads as the vendor sends them.")],
    base_url: BaseUrl,
    client_id: ClientId,
    key: Key,
    device: Annotated[str | None, typer.Option("--device", help="The unit, where the payload does not say it.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="IANA zone of wall-clock times, e.g. Europe/Paris.")] = None,
) -> None:
    """Send files; one JSON line per item on stdout, the summary on stderr."""
    bearer = fetch_token(base_url, client_id, key)
    asked = {name: value for name, value in (("device", device), ("timeZone", time_zone)) if value is not None}
    fates: Counter[str] = Counter()
    refused = 0
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client, Progress(console=stderr, transient=True) as progress:
        for path in progress.track(files, description=f"ingest {adapter}"):
            answer = _send(client, f"{base_url.rstrip('/')}/ingest/{adapter}", path, asked, bearer)
            if answer.is_error:
                refused += 1
                stderr.print(f"{path.name}: {_why(answer)}", highlight=False)
                continue
            for line in answer.iter_lines():
                typer.echo(line)
                fates[json.loads(line)["fate"]] += 1
    stderr.print(", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())) or "nothing was read", highlight=False)
    if refused:
        raise typer.Exit(1)


def _send(client: httpx.Client, url: str, path: Path, asked: dict[str, str], bearer: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/x-ndjson", "Content-Encoding": "gzip"}
    try:
        return client.post(url, params=asked, content=gzip.compress(path.read_bytes(), 1), headers=headers)
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    except httpx.HTTPError as error:
        fail(f"the hub does not answer ({type(error).__name__})")
    raise AssertionError("unreachable")


def _why(answer: httpx.Response) -> str:
    try:
        issues: list[dict[str, Any]] = answer.json()["issue"]
    except (ValueError, KeyError):
        return f"HTTP {answer.status_code}"
    return "; ".join(str(issue.get("diagnostics", issue.get("code"))) for issue in issues)
