"""Files of keys and secrets: read as registered, written for their owner alone. Needs nothing of the hub."""

import json
import os
from pathlib import Path
from typing import Any

import typer

from security.oauth.jwks import registrable


def read_jwks(path: Path) -> dict[str, Any]:
    try:
        return registrable(json.loads(path.read_text()))
    except OSError as error:
        raise typer.BadParameter(f"--jwks: {error.strerror}") from None
    except ValueError as error:
        raise typer.BadParameter(f"--jwks: {error}") from None


def write_private(path: Path, secret: bytes, option: str = "--key-out") -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise typer.BadParameter(f"{option}: the file exists already; a key or a secret is never overwritten") from None
    except OSError as error:
        raise typer.BadParameter(f"{option}: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
