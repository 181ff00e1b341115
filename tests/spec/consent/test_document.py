"""docs/consent.md and the tests speak of the same readings."""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCUMENT = (HERE.parents[2] / "docs" / "consent.md").read_text()


def names_in(pattern: str) -> set[str]:
    return {name for path in HERE.glob(pattern) for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)}


def test_every_reading_is_stated_and_every_stated_test_exists() -> None:
    """SECURITY 2.7: each reading is a named rule with a test, and the document states it."""
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT))
    elsewhere = names_in("../../e2e/test_polling.py") | names_in("../api/test_access_p*.py")
    assert named - names_in("test_*.py") - elsewhere == set()
    assert names_in("test_readings.py") - named == set()


def test_the_document_names_the_extension_the_hub_reads() -> None:
    """Whoever writes Consents needs its canonical address."""
    from security.consent import CONSENT_REPLACES

    assert CONSENT_REPLACES in DOCUMENT
