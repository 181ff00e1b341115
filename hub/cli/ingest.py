"""hub ingest: a vendor's files through the HTTP API, each item answered on a line of its own."""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import httpx
import typer
from rich.progress import Progress

from hub.cli.prover import Prover
from hub.cli.saying import fail, stderr
from hub.cli.token import BaseUrl, ClientId, Key, fetch_token
from security.detached import HEADER, sign_detached
from security.oauth.jwks import private_key

TIMEOUT_S = 120
PIECE_BYTES = 1024 * 1024

Signing = Callable[[bytes, str], str]
"""The header of a body that goes to this path and query."""


def ingest(
    adapter: Annotated[str, typer.Argument(help="As `hub adapters list` names it.")],
    files: Annotated[list[Path], typer.Argument(help="Payloads as the vendor sends them.")],
    base_url: BaseUrl,
    client_id: ClientId,
    key: Key,
    device: Annotated[str | None, typer.Option("--device", help="The unit, where the payload does not say it.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="IANA zone of wall-clock times, e.g. Europe/Paris.")] = None,
    sign: Annotated[bool, typer.Option("--sign", help="Each file bears a signature with the same key (detached JWS, RFC 7797).")] = False,
    dpop: Annotated[bool, typer.Option("--dpop", help="The token is bound to a key made for this command (RFC 9449).")] = False,
) -> None:
    """Send files; one JSON line per item on stdout, the summary on stderr."""
    prover = Prover.fresh() if dpop else None
    token = fetch_token(base_url, client_id, key, prover=prover)
    signed = signing(key) if sign else None
    asked = {name: value for name, value in (("device", device), ("timeZone", time_zone)) if value is not None}
    fates: Counter[str] = Counter()
    refused = 0
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client, Progress(console=stderr, transient=True) as progress:
        for path in progress.track(files, description=f"ingest {adapter}"):
            with _taken(client, f"{base_url.rstrip('/')}/ingest/{adapter}", path, asked, token, prover, signed) as answer:
                if answer.is_error:
                    answer.read()
                    refused += 1
                    stderr.print(f"{path.name}: {_why(answer)}", highlight=False)
                    continue
                for line in answer.iter_lines():
                    typer.echo(line)
                    fates[json.loads(line)["fate"]] += 1
    stderr.print(", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())) or "nothing was read", highlight=False)
    if refused:
        raise typer.Exit(1)


@contextmanager
def _taken(
    client: httpx.Client, url: str, path: Path, asked: dict[str, str], token: str, prover: Prover | None, signed: Signing | None
) -> Iterator[httpx.Response]:
    """The answer to a file; sent again where the hub only misses a fresh nonce, for it has taken nothing of it then."""
    bearer = {"Authorization": f"Bearer {token}"}
    with ExitStack() as stack:
        for _ in range(2):
            shown = bearer if prover is None else prover.headers("POST", url, token)
            answer = stack.enter_context(_sent(client, url, path, asked, shown, signed))
            if prover is None or not prover.asked_again(answer):
                break
        yield answer


@contextmanager
def _sent(
    client: httpx.Client, url: str, path: Path, asked: dict[str, str], shown: dict[str, str], signed: Signing | None
) -> Iterator[httpx.Response]:
    """The file packed on its way, never whole in memory unless it is signed, and its answer, which may go on for as long."""
    headers = {**shown, "Accept": "application/x-ndjson", "Content-Encoding": "gzip"}
    try:
        if signed is not None:
            headers[HEADER] = signed(path.read_bytes(), httpx.URL(url, params=asked).raw_path.decode("ascii"))
        with path.open("rb") as file, client.stream("POST", url, params=asked, content=packed(file), headers=headers) as answer:
            yield answer
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    except httpx.RemoteProtocolError:
        fail(f"{path}: the answer broke off; what is answered is stored. Send the file again: that will be called duplicate")
    except httpx.HTTPError as error:
        fail(f"the hub does not answer ({type(error).__name__})")


def signing(path: Path) -> Signing:
    try:
        key, algorithm = private_key(path.read_bytes())
    except (OSError, ValueError) as error:
        fail(f"the key cannot be used: {error}")
    kid = key.thumbprint()
    return lambda body, url: sign_detached(body, url, key, algorithm, kid)


def packed(file: IO[bytes]) -> Iterator[bytes]:
    """As gzip, piece by piece."""
    packer = zlib.compressobj(level=1, wbits=31)
    while piece := file.read(PIECE_BYTES):
        yield packer.compress(piece)
    yield packer.flush()


def _why(answer: httpx.Response) -> str:
    try:
        issues: list[dict[str, Any]] = answer.json()["issue"]
    except (ValueError, KeyError):
        return f"HTTP {answer.status_code}"
    return "; ".join(str(issue.get("diagnostics", issue.get("code"))) for issue in issues)
