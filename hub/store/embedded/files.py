"""What lies in the data directory for the embedded database, and who may read it."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hub.store.embedded.errors import not_writable

KEY_FILE_BYTES = 96
"""Written as 128 characters of base64; mongod takes 6 to 1,024."""
PASSWORD_BYTES = 24


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under the data directory. `data_dir` is absolute, so that mongod's command line tells whose it is."""

    data_dir: Path

    @property
    def hub_lock(self) -> Path:
        return self.data_dir / "hub.lock"

    @property
    def room(self) -> Path:
        return self.data_dir / "mongodb"

    @property
    def data(self) -> Path:
        return self.room / "data"

    @property
    def log(self) -> Path:
        return self.room / "mongod.log"

    @property
    def mutex(self) -> Path:
        return self.room / "start.lock"

    @property
    def share(self) -> Path:
        return self.room / "use.lock"

    @property
    def port(self) -> Path:
        return self.room / "port"

    @property
    def key_file(self) -> Path:
        return self.room / "keyfile"

    @property
    def credentials(self) -> Path:
        return self.room / "credentials.json"

    @property
    def pid_file(self) -> Path:
        """The server's own; empty after a clean end, stale after kill -9."""
        return self.data / "mongod.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Passwords of the two users. `mark` is no secret: the users carry it, so that lost credentials are noticed."""

    mark: str
    hub: str = field(repr=False)
    admin: str = field(repr=False)


def layout(data_dir: Path) -> Layout:
    """The data directory, made (0700) if need be. Raises NoDatabase if that cannot be."""
    files = Layout(data_dir.expanduser().resolve())
    _make_directories(files.data_dir)
    return files


def make_room(files: Layout) -> None:
    """The embedded database's own directories. Raises NoDatabase."""
    _make_directories(files.room, files.data)


def key(files: Layout) -> str:
    """The key file's content, made on first use (0600)."""
    if not files.key_file.exists():
        _write_private(files.key_file, base64.b64encode(secrets.token_bytes(KEY_FILE_BYTES)).decode())
    return files.key_file.read_text()


def credentials(files: Layout) -> Credentials:
    """The two passwords, made on first use, or anew when their file was lost or damaged (0600)."""
    try:
        return Credentials(**json.loads(files.credentials.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        made = Credentials(mark=secrets.token_hex(8), hub=_password(), admin=_password())
        _write_private(files.credentials, json.dumps(asdict(made)))
        return made


def remembered_port(files: Layout) -> int | None:
    try:
        return int(files.port.read_text())
    except (FileNotFoundError, ValueError):
        return None


def remember_port(files: Layout, port: int) -> None:
    _write_private(files.port, f"{port}\n")


def _make_directories(*paths: Path) -> None:
    for path in paths:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(path, error) from error


def _password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


def _write_private(path: Path, text: str) -> None:
    """All or nothing, and never readable by others, not even for a moment."""
    draft = path.with_name(path.name + ".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(handle)
    draft.replace(path)
