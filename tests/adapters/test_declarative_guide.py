"""docs/guides/declarative.md: its example does what the page says."""

import re
from pathlib import Path

from adapters.declarative import load
from adapters.reading import Absent, Item, Quantity, Rejected

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guides/declarative.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def said(item: Item) -> tuple[str, str]:
    """A row of the guide's table."""
    if isinstance(item, Rejected):
        return item.code, "kept" if item.keep else "refused"
    if isinstance(item.value, Absent):
        return item.measure, f"absent: {item.value.reason}"
    if isinstance(item.value, Quantity):
        return item.measure, f"{item.value.value} {item.value.unit}"
    parts = {key: value for key, value in sorted(item.components.items(), reverse=True) if isinstance(value, Quantity)}
    return item.measure, ", ".join(f"{key} {value.value} {value.unit}" for key, value in parts.items())


def test_the_example_of_the_guide_gives_what_the_guide_says() -> None:
    items = list(load(block("yaml"), "declarative.md").decode(block("json").encode()))
    table = GUIDE[GUIDE.index("it gives") : GUIDE.index("The name is in none")]
    assert [said(item) for item in items] == re.findall(r"\| `([\w-]+)` \| (.+?) \|", table)
    assert b"Ada" not in b"".join(item.raw for item in items)
