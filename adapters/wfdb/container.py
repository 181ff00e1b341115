"""The ZIP in which a record comes: one header and the signal files that it names, nothing beside them.

What is unpacked is counted as it comes, so that a small file cannot become a large one.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping

from adapters.contract import Unreadable
from adapters.limits import PAYLOAD_BYTES_MAX

MEMBERS_MAX = 16
HEADER_BYTES_MAX = 64 * 1024
RAW_DATE = (1980, 1, 1, 0, 0, 0)
_PROBLEMS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    KeyError,
    IndexError,
    UnicodeError,
)
_UNREADABLE = ("not-a-record", "Send a ZIP with one header (.hea) and the signal files (.dat) that it names, without password or folders.")


def unpack(payload: bytes) -> tuple[str, Mapping[str, bytes]]:
    """Header text and the other files by name. Raises Unreadable."""
    files = _files(payload)
    if files is None:
        raise Unreadable(*_UNREADABLE, pointer="byte 0")
    headers = [name for name in files if name.lower().endswith(".hea")]
    if len(headers) != 1 or len(files[headers[0]]) > HEADER_BYTES_MAX:
        raise Unreadable(*_UNREADABLE, pointer="byte 0")
    return files[headers[0]].decode("latin-1"), {name: content for name, content in files.items() if name != headers[0]}


def pack(header: str, data: bytes) -> bytes:
    """A record of one signal; the same parts make the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("r.hea", RAW_DATE), header.encode("latin-1"))  # as `unpack` reads it
        archive.writestr(zipfile.ZipInfo("r.dat", RAW_DATE), data)
    return made.getvalue()


def _files(payload: bytes) -> dict[str, bytes] | None:
    """None for what cannot be unpacked within the limits; raised out there, for the library's errors repeat names of files."""
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            members = archive.infolist()
            if not 0 < len(members) <= MEMBERS_MAX:
                return None
            return _within_limits(archive, members)
    except _PROBLEMS:
        return None


def _within_limits(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, bytes] | None:
    files: dict[str, bytes] = {}
    left = PAYLOAD_BYTES_MAX
    for member in members:
        with archive.open(member) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0 or member.filename in files:
            return None
        files[member.filename] = content
    return files
