"""The page docs/samples.md, made of the table of samples: `python -m tests.support.samples_page > docs/samples.md`."""

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Final

from tests.support.samples import FIXTURES_TABLE, HELD_OTHERWISE, SAMPLES_TABLE, Sample

HEAD: Final = """# Public samples, and what each is held against

Made of the table in `tests/support/samples.py`; a test holds the page against it, and the table against the folder of samples.

For each file that others published, `tests/adapters/test_samples.py` compares two readings as they would be stored: that of the adapter,
and that of a second reader in `tests/support/independent`, written from the document named here and sharing no code with the hub. They
must agree in every code, digit, unit, time, component and device; of a value that the hub converts, in what the device said
(`tests/spec/ingest/test_normalise.py` holds conversions). Files of text are also read with other digits. The samples lie beside
the checkout and are not part of it; without them these tests are skipped.
"""
LEFT: Final = """## What a file says that is not stored as it comes

"-" as answer: it is no item of its own.
"""
FIXTURES: Final = """## Fixtures of our own that are held in the same way

Of formats without a public sample, or whose sample shows little: synthetic, like all that [the matrix](devices.md) marks so.
"""


OTHERWISE: Final = """## Without a second reader
"""


def page() -> str:
    parts = (
        f"{HEAD}\n{_table(('file', 'adapter', 'read after', 'held by', 'no reading, because'), map(_row, SAMPLES_TABLE))}",
        f"{LEFT}\n{_table(('file', 'what', 'answer', 'why'), _left(SAMPLES_TABLE))}",
        f"{FIXTURES}\n{_table(('fixture', 'adapter', 'read after'), (_row(one)[:3] for one in FIXTURES_TABLE))}",
        f"{OTHERWISE}\n{_table(('adapter', 'held against'), HELD_OTHERWISE.items())}",
    )
    return "\n".join(parts)


def _row(sample: Sample) -> list[str]:
    return [sample.path, sample.adapter, _document(sample), f"`{sample.held_by.partition('::')[0]}`", sample.why]


def _document(sample: Sample) -> str:
    """The address or page that the reader's docstring names first."""
    found = re.search(r"https?://[^\s,:]+[^\s,:.]|adapters/\w+/README\.md", inspect.getdoc(sample.reader) or "")
    return found[0] if sample.reader and found else ""


def _left(samples: Iterable[Sample]) -> Iterable[list[str]]:
    for sample in samples:
        for one in sample.left:
            yield [sample.path, _short(f"{one.code} {one.value}"), one.answer or "-", one.why]
        if sample.timeless:
            yield [sample.path, "readings without a time", "no-time", sample.timeless]


def _short(code: str) -> str:
    return code.replace("urn:iso:std:iso:11073:10101|", "MDC ").replace("http://loinc.org|", "LOINC ").strip()


def _table(columns: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *cells]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 -- made to be redirected
