"""A browser's session: a cookie that nobody can guess, and a token in each form that only its holder can know.

OWASP ASVS 5.0 7.2 (sessions), 3.5.1 (cross-site request forgery). Neither is stored: the store knows a session by a keyed
hash of its cookie, and the token of the forms follows from the cookie.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Final, Literal

SECRET_BYTES: Final = 32
SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
SESSION_US: Final = 3_600_000_000
"""An hour, whatever is done in it: whoever manages a hub signs in again."""
CODE_US: Final = 300_000_000
"""Five minutes from the command that prints a link to the browser that opens it."""
FORM_TOKEN: Final = "csrf"  # noqa: S105 (the name of a field)
_FORM: Final = b"hub console form"
SAME_SITE: Final = frozenset({"same-origin", "none"})
"""https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header: from a page of ours, or typed by a person."""


def new_secret() -> str:
    """256 bits from the operating system, as it stands in a cookie or a link."""
    return secrets.token_urlsafe(SECRET_BYTES)


def form_token(cookie: str) -> str:
    """What the forms of a session carry: it tells nothing of the cookie, and follows from nothing else."""
    return hmac.new(cookie.encode(), _FORM, sha256).hexdigest()


def is_ours(cookie: str, sent: str, headers: Mapping[str, str]) -> bool:
    """Does a form come from a page of this session? The token decides; the browser's own word must not contradict it."""
    site = headers.get("sec-fetch-site", "same-origin")
    return site in SAME_SITE and hmac.compare_digest(form_token(cookie).encode(), sent.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretCookie:
    """A cookie that holds a secret as `new_secret` makes it: for this host alone, unseen by any script.

    plain      its name on a hub without TLS
    same_site  "Strict": no page from elsewhere makes a browser send it; "Lax": none but by a link
    age_us     how long a browser keeps it
    """

    plain: str
    same_site: Literal["Strict", "Lax"]
    age_us: int

    def name(self, base_url: str) -> str:
        """https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2: the prefix binds it to this host alone, and to TLS."""
        return f"__Host-{self.plain}" if _is_secure(base_url) else self.plain

    def of(self, headers: Mapping[str, str], base_url: str) -> str | None:
        """What a browser brought. What cannot be read, or cannot be a secret of ours, is none."""
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.name(base_url))
        except CookieError:
            return None
        return found.value if found and SECRET.fullmatch(found.value) else None

    def header(self, value: str, base_url: str) -> str:
        """Set-Cookie, https://www.rfc-editor.org/rfc/rfc6265#section-4.1. The empty value takes it from the browser."""
        age_s = self.age_us // 1_000_000 if value else 0
        parts = [f"{self.name(base_url)}={value}", "Path=/", "HttpOnly", f"SameSite={self.same_site}", f"Max-Age={age_s}"]
        return "; ".join([*parts, *(("Secure",) if _is_secure(base_url) else ())])


def _is_secure(base_url: str) -> bool:
    return base_url.startswith("https:")
