"""When wrong proofs make an account, or an address, wait. What is told to whoever waits is what is told to everybody who is wrong.

NIST SP 800-63B-4 section 3.2.2 (rate limiting: no more than 100 failures in a row), OWASP ASVS 5.0 6.3.1.
"""

from dataclasses import dataclass, replace
from typing import Final

from security.people.account import Account

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
FREE_ACCOUNT: Final = 5
"""Failures in a row without a wait: people mistype."""
FREE_ADDRESS: Final = 50
"""Many people may sit behind one address."""
WAIT_FIRST_US: Final = 15 * SECOND_US
WAIT_ADDRESS_US: Final = 900 * SECOND_US
FAILURES_MAX: Final = 100
FOREVER_US: Final = 2**53 - 1
"""Until somebody who runs the hub opens the account again; the largest whole number of JSON."""


def wait_us(failures: int, free: int, most_us: int) -> int:
    """Nothing at first; then 15 seconds, and each time twice as long as before."""
    over = failures - free
    return 0 if over < 0 else min(most_us, WAIT_FIRST_US << min(over, 40))


def is_locked(account: Account, now_us: int) -> bool:
    return now_us < account.locked_until_us


def failed(account: Account, now_us: int) -> Account:
    """After a wrong proof. What is tried while it is locked counts for nothing: whoever tries must not make the person wait longer."""
    if is_locked(account, now_us):
        return account
    failures = account.failures + 1
    until_us = FOREVER_US if failures >= FAILURES_MAX else now_us + wait_us(failures, FREE_ACCOUNT, DAY_US)
    return replace(account, failures=failures, locked_until_us=until_us)


def proved(account: Account) -> Account:
    """After all proofs that are asked for."""
    return replace(account, failures=0, locked_until_us=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Failures that came from one network address within a day, whoever they were about."""

    failures: int = 0
    since_us: int = 0
    locked_until_us: int = 0

    def is_locked(self, now_us: int) -> bool:
        return now_us < self.locked_until_us

    def failed(self, now_us: int) -> "Address":
        """A day after the first failure it begins anew."""
        if self.is_locked(now_us):
            return self
        begun = self if self.failures and now_us - self.since_us < DAY_US else Address(since_us=now_us)
        failures = begun.failures + 1
        return replace(begun, failures=failures, locked_until_us=now_us + wait_us(failures, FREE_ADDRESS, WAIT_ADDRESS_US))
