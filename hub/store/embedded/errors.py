"""Why no database can be had. The text is for the operator and always ends in what to do."""

from pathlib import Path


class NoDatabase(Exception):
    """Commands print the text to stderr and exit with 1. It never carries a password."""


class AlreadyServed(NoDatabase):
    """Another live hub holds the data directory."""


def not_writable(path: Path, error: OSError) -> NoDatabase:
    return NoDatabase(f"the data directory cannot be written: {path}: {error.strerror}; choose another one with --data-dir or HUB_DATA_DIR")
