"""When wrong proofs make somebody wait. NIST SP 800-63B-4 section 3.2.2."""

from typing import get_args

import pytest

from security.oauth.person import Person
from security.people.account import Account
from security.people.lockout import (
    DAY_US,
    FAILURES_MAX,
    FOREVER_US,
    FREE_ACCOUNT,
    FREE_ADDRESS,
    Address,
    Means,
    failed,
    is_locked,
    opened,
    proved,
)
from security.people.rpps import is_rpps

ACCOUNT = Account(login="x", name="X", person=Person(account="a", role="vendor"), created_us=0)


def until(account: Account, by: Means) -> int:
    return account.locked_until_us if by == "password" else account.code_locked_until_us


def after(failures: int, by: Means = "password") -> list[int]:
    """Waits in seconds after each of so many failures, each at the first moment at which one counts."""
    account, now_us, waits = ACCOUNT, 0, []
    for _ in range(failures):
        now_us = max(now_us, until(account, by))
        account = failed(account, by, now_us)
        waits.append(max(0, until(account, by) - now_us) // 1_000_000)
    return waits


@pytest.mark.parametrize("by", ["password", "code"])
def test_some_failures_are_free_and_then_each_wait_is_twice_the_one_before(by: Means) -> None:
    waits = after(FREE_ACCOUNT + 4, by)
    assert waits == [*[0] * (FREE_ACCOUNT - 1), 15, 30, 60, 120, 240]
    assert max(after(FREE_ACCOUNT + 40, by)) == DAY_US // 1_000_000


@pytest.mark.parametrize("by", ["password", "code"])
def test_after_a_hundred_in_a_row_somebody_has_to_open_it_again(by: Means) -> None:
    """SP 800-63B-4 section 3.2.2: no more than 100 consecutive failed attempts."""
    assert after(FAILURES_MAX, by)[-1] > DAY_US // 1_000_000
    assert FOREVER_US < 2**53


def locked_by(by: Means) -> Account:
    account = ACCOUNT
    for _ in range(FREE_ACCOUNT):
        account = failed(account, by, 0)
    return account


@pytest.mark.parametrize("by", ["password", "code"])
def test_what_is_tried_while_it_is_locked_counts_for_nothing(by: Means) -> None:
    """Else somebody could keep a person out for ever by trying on."""
    locked = locked_by(by)
    assert is_locked(locked, by, 1)
    assert failed(locked, by, 1) == locked
    assert not is_locked(proved(locked, (by,)), by, 1)
    assert opened(locked) == ACCOUNT


@pytest.mark.parametrize(
    ("wrong", "waits"), [("password", {"password"}), ("code", {"password", "code", "elsewhere"}), ("elsewhere", set())]
)
def test_wrong_passwords_make_the_password_wait_and_wrong_codes_the_account(wrong: Means, waits: set[Means]) -> None:
    """Whoever knows a login can type passwords; whoever types codes has a first factor already."""
    assert {by for by in get_args(Means) if is_locked(locked_by(wrong), by, 1)} == waits


@pytest.mark.parametrize("wrong", ["password", "code"])
@pytest.mark.parametrize("right", ["password", "code", "elsewhere"])
def test_only_what_was_proved_is_counted_anew(wrong: Means, right: Means) -> None:
    """SP 800-63B-4 section 3.2.2: who signs in elsewhere each day does not give somebody else five more passwords each day."""
    assert (proved(locked_by(wrong), (right,)) == ACCOUNT) is (wrong == right)


@pytest.mark.parametrize(("failures", "locked"), [(FREE_ADDRESS - 1, False), (FREE_ADDRESS, True)])
def test_an_address_waits_too_but_many_people_may_sit_behind_it(failures: int, locked: bool) -> None:
    address = Address()
    for _ in range(failures):
        address = address.failed(7)
    assert address.is_locked(8) is locked
    assert address.failed(7 + DAY_US).failures == 1


@pytest.mark.parametrize(("text", "good"), [("10003456786", True), ("10003456785", False), ("1000345678", False), ("1000345678６", False)])
def test_a_number_of_the_directory_checks_itself(text: str, good: bool) -> None:
    """ISO/IEC 7812-1 annex B (Luhn)."""
    assert is_rpps(text) is good
