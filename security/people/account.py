"""An account: somebody who can sign in. It lies sealed; nothing of it is in clear but a random id.

NIST SP 800-63B-4 (authenticators), OWASP ASVS 5.0 chapter 6.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from unicodedata import normalize

from security.oauth.person import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Times in microseconds since 1970 UTC.

    login      what the person types, folded by `folded`; unique
    name       how pages greet the person
    person     role, fhir_user and organisation, as they go into tokens; `person.account` is the account's id
    rpps       of a practitioner (11 digits), or None
    password   Argon2id in PHC form; None: signs in elsewhere, or has not chosen one yet
    totp       shared secret of RFC 6238, base32; None: not enrolled. totp_step: the last step that was used, so that none is used twice
    recovery   SHA-256 of the recovery codes that are left, hex
    federated  (issuer, subject) at other OpenID providers
    invitation  SHA-256 of the code of the one link that is good, hex; None: there is none
    failures   wrong passwords since the last good one; locked_until_us: no password is right before
    code_failures  the same of codes of the second factor; code_locked_until_us: nothing opens the account before
    disabled_us  when the account was ended; its sessions and authorizations end with it
    """

    login: str
    name: str
    person: Person
    created_us: int
    rpps: str | None = None
    password: str | None = None
    password_changed_us: int | None = None
    totp: str | None = None
    totp_step: int = 0
    recovery: tuple[str, ...] = ()
    federated: tuple[tuple[str, str], ...] = ()
    invitation: str | None = None
    failures: int = 0
    locked_until_us: int = 0
    code_failures: int = 0
    code_locked_until_us: int = 0
    disabled_us: int | None = None
    language: str = "fr"

    @property
    def id(self) -> str:
        return self.person.account

    @property
    def sees_others(self) -> bool:
        """May it see more than its own data? Then a second factor is required (ASVS 5.0 6.3.3)."""
        return self.person.role != "patient"

    def to_document(self) -> dict[str, Any]:
        """Plain JSON, to be sealed; `from_document` is its inverse."""
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "Account":
        """A field that is missing or unknown is an error (TypeError), never a default."""
        found = dict(document)
        found["person"] = Person(**found["person"])
        found["recovery"] = tuple(found["recovery"])
        found["federated"] = tuple((issuer, subject) for issuer, subject in found["federated"])
        return Account(**found)


def folded(login: str) -> str:
    """One spelling of what people type: trimmed, NFKC, case folded."""
    return normalize("NFKC", login.strip()).casefold()
