"""A folder that files are put into: which ones are ready, who has claimed them, where they go. Renames alone, no data read.

    DIR/NAME                     put there by the sender, best by a rename from `.NAME` or `NAME.part`
    DIR/.claims/WATCHER/ID~1/    holds NAME and the answers so far, while a watcher is at work on it, or was
    DIR/done/NAME                taken in; NAME.ndjson beside it has the answer for each item
    DIR/refused/NAME             nothing of it could be read; NAME.json beside it says why

A rename within a file system happens or does not, so of several watchers one gets a file, and whatever dies in between
leaves it in one of these places. A watcher holds a lock while it lives; the claims of one that does not are taken back.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CLAIMS, DONE, REFUSED, LOCK, ANSWERS, WHY = ".claims", "done", "refused", "lock", ".answers", ".why"
UNFINISHED = (".part", ".tmp", ".crdownload")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A file that is ours, in a directory of its own. `id` stays when it is taken up again; `attempt` counts from one."""

    path: Path
    id: str
    attempt: int

    @property
    def answers(self) -> Path:
        """Where the answers are gathered."""
        return self.path.with_name(ANSWERS)


class Folder:
    """`DIR` for one watcher; `take_back` and `claim` in a loop, then `done` or `refuse`, inside `with folder.open()`.

    settle_s  for how long nothing was written to a file before it counts as whole
    """

    def __init__(self, directory: Path, settle_s: float) -> None:
        self._directory = directory
        self._settle_s = settle_s
        self._own = directory / CLAIMS / secrets.token_hex(8)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Raises OSError where the folder is not there or not ours to write."""
        for name in (DONE, REFUSED, CLAIMS):
            (self._directory / name).mkdir(exist_ok=True)
        made = self._own.with_name(f".{self._own.name}")  # not looked at by others until the lock is held
        made.mkdir()
        with (made / LOCK).open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            made.rename(self._own)
            try:
                yield
            finally:
                (self._own / LOCK).unlink()
                with suppress(OSError):  # what is still claimed stays, and is taken back by the next watcher
                    self._own.rmdir()

    def claim(self, now_s: float) -> Claimed | None:
        """The file that has waited longest. `now_s`: seconds since 1970, for telling what is still being written."""
        for name in self._ready(now_s):
            place = self._own / f"{secrets.token_hex(8)}~1"
            place.mkdir()
            try:
                (self._directory / name).rename(place / name)
            except FileNotFoundError:  # another watcher was first
                place.rmdir()
                continue
            return _claimed(place)
        return None

    def take_back(self) -> list[Claimed]:
        """What watchers had claimed that are no more, and what this one has left undone."""
        for other in self._others():
            self._inherit(other)
        return [claimed for place in sorted(self._own.glob("*~*")) if (claimed := _claimed(place)) is not None]

    def done(self, claimed: Claimed) -> Path:
        """Where it lies now, with its answers beside it."""
        return self._away(claimed, DONE, {ANSWERS: ".ndjson"})

    def refuse(self, claimed: Claimed, why: bytes) -> Path:
        """The same for what cannot be read. Items that were taken in before it came to an end have their answers beside it too."""
        claimed.path.with_name(WHY).write_bytes(why)
        return self._away(claimed, REFUSED, {WHY: ".json", ANSWERS: ".ndjson"})

    def _away(self, claimed: Claimed, where: str, beside: dict[str, str]) -> Path:
        """The answers first, so that a file that lies there has its answer beside it; linked, so that they can be put there twice."""
        sources = {claimed.path.with_name(name): suffix for name, suffix in beside.items() if claimed.path.with_name(name).exists()}
        place = self._directory / where / claimed.path.name
        if place.exists() or any(_is_anothers(place.with_name(place.name + suffix), source) for source, suffix in sources.items()):
            place = place.with_name(f"{claimed.id}~{claimed.path.name}")
        for source, suffix in sources.items():
            with suppress(FileExistsError):
                os.link(source, place.with_name(place.name + suffix))
        claimed.path.rename(place)
        _clear(claimed.path.parent)
        return place

    def _ready(self, now_s: float) -> list[str]:
        """Regular files whose writing has ended; a link could lead anywhere."""
        found = []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if _is_offered(entry) and now_s - (at := entry.stat(follow_symlinks=False).st_mtime) >= self._settle_s:
                        found.append((at, entry.name))
        return [name for _, name in sorted(found)]

    def _others(self) -> list[Path]:
        everybody = (self._directory / CLAIMS).iterdir()
        return sorted(path for path in everybody if path != self._own and not path.name.startswith("."))

    def _inherit(self, other: Path) -> None:
        """The claims of a watcher whose lock nobody holds."""
        try:
            lock = (other / LOCK).open("a")
        except FileNotFoundError:  # it left in good order
            lock = (other / LOCK).parent.parent.joinpath(f".{LOCK}").open("a")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            for place in sorted(other.glob("*~*")):
                id, attempt = place.name.split("~")
                with suppress(FileNotFoundError):
                    place.rename(self._own / f"{id}~{int(attempt) + 1}")
            (other / LOCK).unlink(missing_ok=True)
            with suppress(OSError):
                other.rmdir()


def _claimed(place: Path) -> Claimed | None:
    """None for a claim that came to nothing, or whose file is where it belongs already; it is cleared away."""
    id, attempt = place.name.split("~")
    names = [path for path in place.iterdir() if not path.name.startswith(".")]
    if not names:
        _clear(place)
        return None
    return Claimed(path=names[0], id=id, attempt=int(attempt))


def _clear(place: Path) -> None:
    for name in (ANSWERS, WHY):
        (place / name).unlink(missing_ok=True)
    place.rmdir()


def _is_offered(entry: "os.DirEntry[str]") -> bool:
    return entry.is_file(follow_symlinks=False) and not entry.name.startswith(".") and not entry.name.endswith(UNFINISHED)


def _is_anothers(place: Path, source: Path) -> bool:
    return place.exists() and not place.samefile(source)
