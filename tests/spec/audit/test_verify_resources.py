"""What verification finds in `resources`: current versions against the last audited ones (issue 2, DESIGN 6)."""

from dataclasses import replace

import pytest

from audit.chain import genesis, link
from audit.record import Write
from audit.verify import verify
from tests.spec.audit.given import OTHER_WRITER, WRITER, draft, tag, with_draft

VERSIONED, VERSIONED_HEAD = link(
    genesis(WRITER, ()),
    [draft(1, ("Observation/a", 1), ("Observation/b", 1)), draft(2, ("Observation/a", 2))],
)


def resources(*rows: tuple[str, int]) -> list[tuple[str, str | None]]:
    """Code and row of what is wrong with `resources` when these versions lie there."""
    findings = verify(VERSIONED, [VERSIONED_HEAD], [(name, version, tag(f"{name}/{version}")) for name, version in rows])
    return [(finding.code, finding.what) for finding in findings]


def test_current_versions_that_were_last_written_are_as_they_should_be() -> None:
    assert resources(("Observation/a", 2), ("Observation/b", 1)) == []


def test_an_older_version_put_back_is_named() -> None:
    """Issue 2; SECURITY 4.4: rollback within a record is found by comparing with the log."""
    assert resources(("Observation/a", 1), ("Observation/b", 1)) == [("resource-older", "Observation/a")]


def test_a_newer_version_than_the_log_knows_is_named() -> None:
    """DESIGN law 2: no write without its record."""
    assert resources(("Observation/a", 3), ("Observation/b", 1)) == [("resource-newer", "Observation/a")]


def test_a_resource_that_is_gone_is_named() -> None:
    assert resources(("Observation/a", 2)) == [("resource-missing", "Observation/b")]


def test_a_resource_of_which_no_record_tells_is_named() -> None:
    assert resources(("Observation/a", 2), ("Observation/b", 1), ("Observation/c", 1)) == [("resource-unaudited", "Observation/c")]


def test_other_bytes_under_the_right_version_are_named() -> None:
    findings = verify(VERSIONED, [VERSIONED_HEAD], [("Observation/a", 2, tag("forged")), ("Observation/b", 1, tag("Observation/b/1"))])
    assert [(finding.code, finding.what) for finding in findings] == [("resource-changed", "Observation/a")]


@pytest.mark.parametrize("sealed", ["Observation/a/1", "sealed anew"])
def test_a_version_sealed_anew_under_another_key_may_lie_there_in_either_form(sealed: str) -> None:
    """SECURITY 4.4: rotation re-encrypts in the background."""
    again = replace(draft(2), writes=(Write("Observation/a", 1, tag("sealed anew")),))
    records, head = link(genesis(WRITER, ()), [draft(1, ("Observation/a", 1)), again])
    assert verify(records, [head], [("Observation/a", 1, tag(sealed))]) == []
    assert [one.code for one in verify(records, [head], [("Observation/a", 1, tag("forged"))])] == ["resource-changed"]


def test_the_order_in_which_writers_are_read_does_not_decide_which_write_was_last() -> None:
    """A resource may be updated through one process and then through another."""
    first, head = link(genesis(OTHER_WRITER, ()), [draft(1, ("Observation/a", 1))])
    second, other = link(genesis(WRITER, ()), [draft(2, ("Observation/a", 2))])
    now = [("Observation/a", 2, tag("Observation/a/2"))]
    assert verify([*second, *first], [head, other], now) == verify([*first, *second], [head, other], now) == []


def test_a_write_told_by_a_changed_record_is_not_believed() -> None:
    """Else an older version could be put back together with a record edited to agree."""
    forged = with_draft(VERSIONED[1], writes=(Write("Observation/a", 1, tag("Observation/a/1")),))
    findings = verify(
        [VERSIONED[0], forged],
        [VERSIONED_HEAD],
        [("Observation/a", 2, tag("Observation/a/2")), ("Observation/b", 1, tag("Observation/b/1"))],
    )
    assert [one.code for one in findings] == ["record-changed", "resource-newer"]
