"""Whoever is refused on a page for people is told why in the page's language. https://www.w3.org/TR/WCAG22/#error-identification"""

import pytest

from hub.account import apps, consent_note, launch
from hub.oauth import deciding, devices
from hub.outcomes import unavailable, unexpected
from hub.page_guard import NOT_OURS
from hub.people import discovery, federating
from hub.people.visit import UNKNOWN_STEP
from hub.people.words import REFUSALS, in_french
from hub.repository.redoing import CHANGED

TEXTS = (
    str(unavailable()),
    str(unexpected()),
    CHANGED,
    NOT_OURS,
    apps.NO_SUCH,
    UNKNOWN_STEP,
    consent_note.SOMEBODY_ELSES,
    consent_note.NOT_OPENED,
    launch.NOT_YOURS_TO_START,
    launch.NO_SUCH_APP,
    deciding.OVER,
    deciding.NOT_YOURS,
    deciding.STALE,
    deciding.NO_PATIENT,
    deciding.NOT_THEIRS,
    deciding.TOO_MUCH,
    devices.UNKNOWN,
    discovery.AWAY,
    federating.OFTEN,
    federating.OVER,
)


@pytest.mark.parametrize("text", TEXTS)
def test_every_refusal_is_said_in_french(text: str) -> None:
    assert in_french(text) not in ("", text)


def test_no_row_speaks_of_what_is_not_raised() -> None:
    """The row of an unknown app is raised before anybody has a page."""
    assert [text for text in REFUSALS if text not in TEXTS and "app that sent you here" not in text] == []
