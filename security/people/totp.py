"""One-time passwords of an authenticator app: RFC 6238 with SHA-1, steps of 30 s and six digits, as every app does them.

https://www.rfc-editor.org/rfc/rfc6238, https://www.rfc-editor.org/rfc/rfc4226#section-5.3
"""

import hmac
import re
from base64 import b32decode, b32encode
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20
"""RFC 4226 section 4, R6: 160 bits."""
AROUND: Final = (0, -1, 1)
"""Steps beside the present one whose codes are good: clocks differ, and typing takes time (RFC 6238 section 5.2)."""
CODE: Final = re.compile(r"[0-9]{6}")


def new_secret(random: bytes) -> str:
    """Base32 of 20 random bytes, as apps take it."""
    return b32encode(random).decode("ascii")


def step_of(now_us: int) -> int:
    return now_us // (STEP_S * 1_000_000)


def code_of(secret: str, step: int) -> str:
    """The six digits of one step."""
    mac = hmac.new(b32decode(secret), step.to_bytes(8, "big"), "sha1").digest()
    at = mac[-1] & 0x0F
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_proved(secret: str, code: str, now_us: int, last_step: int) -> int | None:
    """Which step the code belongs to; None if it is wrong, or not later than `last_step`: each is good once (RFC 6238 section 5.2)."""
    typed = "".join(code.split())
    if CODE.fullmatch(typed) is None:
        return None
    now = step_of(now_us)
    proved = [now + more for more in AROUND if hmac.compare_digest(code_of(secret, now + more), typed)]
    return next((step for step in proved if step > last_step), None)


def uri_of(secret: str, issuer: str, login: str) -> str:
    """What the QR code holds: https://github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    given = {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": str(DIGITS), "period": str(STEP_S)}
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(login, safe='@')}?{urlencode(given, quote_via=quote)}"
