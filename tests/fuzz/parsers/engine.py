"""One target under atheris, guided by coverage, in a process of its own that ends after so many executions.

Modules are instrumented as they are imported, so nothing of ours is imported before; that is done once, and each run is a fork.
"""

import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import atheris

INSTRUMENTED = ["adapters", "hub.ingest", "hub.http", "security.webhooks", "fitdecode", "jmespath", "jsonpath"]
HANG_S = 120
"""Of wall time: only what never ends takes so long, even on a busy machine."""
SAVED_EVERY = 1_000
WORD_BYTES_MAX = 60
"""libFuzzer takes no longer words."""

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.fuzz.parsers import ledger
    from tests.fuzz.parsers.seeds import found
    from tests.fuzz.parsers.targets import BYTES_MAX, Target, names, target

    TARGETS = {name: target(name) for name in names()}


class Watched:
    """Runs inputs one at a time, and notes what each cost and what it broke. Goes on after a finding."""

    def __init__(self, target: Target, folder: Path) -> None:
        self.target, self.folder = target, folder
        self.figures = ledger.load(folder, target.name)
        self.before = self.figures.seconds
        self.began = time.monotonic()
        self.peak = 0.0

    def __call__(self, payload: bytes) -> None:
        if not self.peak:  # what the interpreter, its modules and libFuzzer take before the first input
            self.figures.base_mib = self.peak = peak_mib()
        began = time.process_time()
        try:
            self.target.run(payload)
        except Exception as error:  # noqa: BLE001 - each one is a finding
            self.found(ledger.signature(error), payload)
        self.spent(time.process_time() - began, payload)
        if self.figures.executions % SAVED_EVERY == 0:
            self.save()

    def spent(self, seconds: float, payload: bytes) -> None:
        figures, peak = self.figures, peak_mib()
        figures.executions += 1
        if seconds > figures.slowest_s:
            figures.slowest_s, figures.slowest = seconds, repr(payload[:300])
        if seconds > ledger.CPU_S_MAX:
            self.found(f"takes more than {ledger.CPU_S_MAX} s", payload)
        growth = peak - self.peak
        figures.growth_mib, figures.rss_mib = max(figures.growth_mib, growth), max(figures.rss_mib, peak)
        if growth > ledger.GROWTH_MIB_MAX:
            self.found(f"takes more than {ledger.GROWTH_MIB_MAX} MiB", payload)
        self.peak = peak

    def found(self, what: str, payload: bytes) -> None:
        self.figures.findings[what] = self.figures.findings.get(what, 0) + 1
        ledger.keep_input(self.folder, self.figures.name, what, payload)

    def save(self) -> None:
        self.figures.seconds = self.before + time.monotonic() - self.began
        ledger.save(self.folder, self.figures)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def mutator(target: Target, words: Sequence[bytes]) -> Callable[[bytes, int, int], bytes]:
    """Half of the mutations are libFuzzer's own, half know the format."""

    def mutate(payload: bytes, size_max: int, seed: int) -> bytes:
        chance = Random(seed)
        if not target.mutators or not payload or chance.random() < 0.5:
            return bytes(atheris.Mutate(payload, size_max))
        return chance.choice(target.mutators)(chance, bytes(payload), words)[:size_max]

    return mutate


def prepared(target: Target, folder: Path) -> tuple[Path, Path, list[bytes]]:
    """Corpus and dictionary of a target: its seeds as files, its words as libFuzzer wants them written."""
    corpus, dictionary = folder / "corpus" / target.name, folder / f"{target.name}.dict"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate([*target.seeds(), *(path.read_bytes() for path in found(target.name))]):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = sorted(set(target.words()))
    dictionary.write_text("".join(f'"{written(word)}"\n' for word in words if len(word) <= WORD_BYTES_MAX))
    return corpus, dictionary, words


def written(word: bytes) -> str:
    return "".join(f"\\x{octet:02x}" for octet in word)


def begin(name: str, folder: Path, *, runs: int, seed: int, log: Path) -> int:
    """Fork, and fuzz in the child; return its process id. It ends by itself."""
    gc.collect()
    gc.freeze()
    child = os.fork()
    if child:
        return child
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    try:
        fuzz(TARGETS[name], folder, runs=runs, seed=seed)
    finally:
        os._exit(1)  # libFuzzer ends the process itself; whoever comes here did not fuzz


def fuzz(target: Target, folder: Path, *, runs: int, seed: int) -> None:
    """Does not come back: libFuzzer ends the process."""
    corpus, dictionary, words = prepared(target, folder)
    artifacts = folder / "ended" / f"{target.name}-"
    artifacts.parent.mkdir(parents=True, exist_ok=True)
    flags = {
        "runs": runs,
        "seed": seed,
        "max_len": BYTES_MAX,
        "timeout": HANG_S,
        "rss_limit_mb": ledger.RSS_MIB_MAX,
        "dict": dictionary,
        "artifact_prefix": artifacts,
        "print_final_stats": 1,
    }
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in flags.items()), str(corpus)]
    atheris.Setup(arguments, Watched(target, folder), custom_mutator=mutator(target, words))
    atheris.Fuzz()
