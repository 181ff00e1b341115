"""When wrong proofs make somebody wait. NIST SP 800-63B-4 section 3.2.2."""

import pytest

from security.oauth.person import Person
from security.people.account import Account
from security.people.lockout import DAY_US, FAILURES_MAX, FOREVER_US, FREE_ACCOUNT, FREE_ADDRESS, Address, failed, is_locked, proved
from security.people.rpps import is_rpps

ACCOUNT = Account(login="x", name="X", person=Person(account="a", role="vendor"), created_us=0)


def after(failures: int) -> list[int]:
    """Waits in seconds after each of so many failures, each at the first moment at which one counts."""
    account, now_us, waits = ACCOUNT, 0, []
    for _ in range(failures):
        now_us = max(now_us, account.locked_until_us)
        account = failed(account, now_us)
        waits.append(max(0, account.locked_until_us - now_us) // 1_000_000)
    return waits


def test_some_failures_are_free_and_then_each_wait_is_twice_the_one_before() -> None:
    waits = after(FREE_ACCOUNT + 4)
    assert waits == [*[0] * (FREE_ACCOUNT - 1), 15, 30, 60, 120, 240]
    assert max(after(FREE_ACCOUNT + 40)) == DAY_US // 1_000_000


def test_after_a_hundred_in_a_row_somebody_has_to_open_it_again() -> None:
    """SP 800-63B-4 section 3.2.2: no more than 100 consecutive failed attempts."""
    assert after(FAILURES_MAX)[-1] > DAY_US // 1_000_000
    assert FOREVER_US < 2**53


def test_what_is_tried_while_it_is_locked_counts_for_nothing() -> None:
    """Else somebody could keep a person out for ever by trying on."""
    locked = ACCOUNT
    for _ in range(FREE_ACCOUNT):
        locked = failed(locked, 0)
    assert is_locked(locked, 1)
    assert failed(locked, 1) == locked
    assert not is_locked(proved(locked), 1)


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
