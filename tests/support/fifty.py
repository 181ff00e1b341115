"""A transaction of 50 entries that does something of everything: new ones, mostly on a condition, changed ones, deleted ones."""

from collections import Counter
from typing import Any

from tests.spec.api.test_transaction import bundle, entry
from tests.support.resources import organization
from tests.support.watched import Change

Json = dict[str, Any]

ENTRIES, UPDATED, DELETED = 50, 3, 2
CREATED = ENTRIES - UPDATED - DELETED
SYSTEM = "urn:fifty"


def fifty(key: str, updated: list[Json], deleted: list[Json], *, conditional: int = CREATED) -> Json:
    """`key`: in the identifiers of what is new, so many of them on a condition; `updated`, `deleted`: Organizations as stored."""
    new = []
    for number in range(CREATED):
        identifier = [{"system": SYSTEM, "value": f"{key}-{number}"}]
        unless = {"ifNoneExist": f"identifier={SYSTEM}|{key}-{number}"} if number < conditional else {}
        new.append(entry("POST", "Organization", organization(key, identifier=identifier), **unless))
    changed = [entry("PUT", f"Organization/{one['id']}", {**one, "name": key}) for one in updated]
    gone = [entry("DELETE", f"Organization/{one['id']}") for one in deleted]
    assert (len(changed), len(gone)) == (UPDATED, DELETED)
    return bundle(*changed, *new, *gone)


def everything_new(key: str) -> str:
    """A search that finds what the transaction with this key has made."""
    return "Organization?identifier=" + ",".join(f"{SYSTEM}|{key}-{number}" for number in range(CREATED))


def is_whole(change: Change, *, conditional: int = CREATED) -> bool:
    """All of it is there, each with its record. AssertionError if it is there in part, or not as the log says."""
    assert change.is_recorded(), change
    if change.is_nothing():
        return False
    versions = Counter(change.rows.values())
    assert len(change.rows) == ENTRIES, change
    assert versions[1] == CREATED, change
    assert (change.history, change.claims) == (UPDATED + DELETED, conditional), change
    return True
