"""What somebody who says whose a reading is learns where it cannot be stored. docs/guides/units.md; law 3"""

import pytest

from hub.errors import FhirError
from hub.ingest import fates
from hub.ingest.confirming import NOT_ASSIGNABLE, only_whole
from hub.ingest.fates import Answer

OF_A_PATIENT = [fates.NOT_PAIRED, fates.WHOSE_CONTRADICTS, fates.TIME_CONFLICT]


def told(code: str) -> str:
    with pytest.raises(FhirError) as refusal:
        only_whole([Answer(fate="quarantined", pointer="/0", code=code, hint="why")])
    assert refusal.value.code == "business-rule"
    return str(refusal.value)


@pytest.mark.parametrize("code", OF_A_PATIENT)
def test_what_follows_from_what_a_patient_permits_or_has_is_one_text(code: str) -> None:
    """A contradiction is only found of somebody who permits the collection: to tell it apart would tell that."""
    assert told(code) == NOT_ASSIGNABLE


def test_what_is_the_senders_alone_is_said() -> None:
    assert told(fates.SCOPE_MISSING) == f"{fates.SCOPE_MISSING}: why"
