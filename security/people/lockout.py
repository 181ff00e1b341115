"""When wrong proofs make an account, or an address, wait. What is told to whoever waits is what is told to everybody who is wrong.

NIST SP 800-63B-4 section 3.2.2 (rate limiting: no more than 100 failures in a row), OWASP ASVS 5.0 6.3.1.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Literal

from security.people.account import Account

Means = Literal["password", "code", "elsewhere"]
"""What somebody proves themselves by: the password, a code of the second factor, the word of another provider."""
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


def is_locked(account: Account, by: Means, now_us: int) -> bool:
    """Wrong passwords make the password wait and nothing else: whoever knows a login can type some, and must not keep its person from
    signing in elsewhere. Wrong codes make the account wait: whoever types those has the password already, or a sign-in elsewhere.
    """
    return now_us < account.code_locked_until_us or (by == "password" and now_us < account.locked_until_us)


def failed(account: Account, by: Means, now_us: int) -> Account:
    """After a wrong proof. What is tried while it is locked counts for nothing: whoever tries must not make the person wait longer.

    What another provider does not prove says nothing about an account.
    """
    if by == "elsewhere" or is_locked(account, by, now_us):
        return account
    failures = 1 + (account.failures if by == "password" else account.code_failures)
    until_us = FOREVER_US if failures >= FAILURES_MAX else now_us + wait_us(failures, FREE_ACCOUNT, DAY_US)
    if by == "password":
        return replace(account, failures=failures, locked_until_us=until_us)
    return replace(account, code_failures=failures, code_locked_until_us=until_us)


def proved(account: Account, by: Collection[Means]) -> Account:
    """After all proofs that were asked for. Those that were given count anew and no other: each sign-in elsewhere would otherwise give
    somebody who guesses passwords five more.
    """
    if "password" in by:
        account = replace(account, failures=0, locked_until_us=0)
    return replace(account, code_failures=0, code_locked_until_us=0) if "code" in by else account


def opened(account: Account) -> Account:
    """By somebody who runs the hub: nothing waits any more."""
    return proved(account, ("password", "code"))


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
