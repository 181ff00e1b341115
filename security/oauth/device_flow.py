"""The device authorization grant: an app without a browser is let act by a person who types a short code elsewhere. Pure.

https://www.rfc-editor.org/rfc/rfc8628. The device's own code is a secret of 256 bits; the one that the person types is short, good for ten
minutes, and looked up only for somebody who has signed in, whose guesses are counted.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

DEVICE_AUTHORIZATION_PATH: Final = "/oauth/device_authorization"
VERIFICATION_PATH: Final = "/account/device"
ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 section 6.1: no vowels, so that no words come about; none that look alike."""
LETTERS: Final = 8
"""20^8 is 34 bits: with ten guesses for each account in ten minutes nobody finds one."""
EXPIRES_US: Final = 600_000_000
INTERVAL_S: Final = 5
SLOWER_S: Final = 5
"""RFC 8628 section 3.5: after slow_down."""
INTERVAL_MAX_S: Final = 60
KEPT_US: Final = 600_000_000
"""How long it stays known that a code has run out, so that the device is told so."""
TYPED: Final = re.compile(rf"[{ALPHABET}]{{{LETTERS}}}")
BETWEEN: Final = re.compile(r"[\s\-‐‑–.]+")

State = Literal["waiting", "allowed", "denied", "redeemed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """What a device asks for, and what the person said.

    scope          canonical text of `ScopeRequest`, as far as the client is registered for it
    expires_us     microseconds since 1970 UTC
    authorization  id of what the person allowed; None before that
    """

    client_id: str
    scope: str
    expires_us: int
    state: State = "waiting"
    authorization: str | None = None

    def to_document(self) -> dict[str, Any]:
        """Plain JSON, to be sealed; `from_document` is its inverse."""
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "DeviceRequest":
        """A field that is missing or unknown is an error (TypeError), never a default."""
        return DeviceRequest(**document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polls:
    """When the device last asked, and how many seconds it has to wait in between."""

    asked_us: int = 0
    interval_s: int = INTERVAL_S

    def asked(self, now_us: int) -> tuple["Polls", bool]:
        """After one more question; and whether it came too soon."""
        soon = now_us < self.asked_us + self.interval_s * 1_000_000
        interval_s = min(self.interval_s + SLOWER_S, INTERVAL_MAX_S) if soon else self.interval_s
        return replace(self, asked_us=now_us, interval_s=interval_s), soon


def new_user_code() -> str:
    """Eight letters, from the operating system's chance."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))


def shown(user_code: str) -> str:
    """As people read it: in two halves."""
    return f"{user_code[: LETTERS // 2]}-{user_code[LETTERS // 2 :]}"


def typed(text: str) -> str | None:
    """The code that somebody typed, in whatever case and with whatever between; None for what cannot be one."""
    code = BETWEEN.sub("", text[:64]).upper()
    return code if TYPED.fullmatch(code) else None
