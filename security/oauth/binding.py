"""What a token is bound to, and who must have tokens that are bound. Pure.

https://www.rfc-editor.org/rfc/rfc7800 (`cnf`), https://www.rfc-editor.org/rfc/rfc9449#section-6 (`jkt`),
https://www.rfc-editor.org/rfc/rfc8705#section-3 (`x5t#S256`). SMART leaves sender constraint to the server; here it is a property of each
client, and the production profile asks it of whoever acts without a person, reads the log, or goes past consent (SECURITY 1.5).
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from security.oauth.clients import GRANT_CLIENT_CREDENTIALS, Client

JKT: Final = "jkt"
X5T: Final = "x5t#S256"
LOG: Final = "AuditEvent"
BREAK_GLASS: Final = frozenset({"BTG", "ETREAT"})
"""Codes of v3-ActReason under which somebody goes past consent."""
UNBOUND: Final[Mapping[str, str]] = {}
MUST: Final = (
    "this hub runs with HUB_PROFILE=production: a client that acts by itself, reads the log or breaks the glass has tokens bound to a key "
    "or a certificate; register it with --binding dpop or --binding mtls"
)


class NotBound(Exception):
    """The tokens of this client have to be bound, and this request does not bind them. The text is for the client's developer."""


def must_be_bound(client: Client, *, production: bool) -> bool:
    """May tokens of this client be worth nothing to whoever steals them alone?

    A unit's credential is let off: it sends the readings of one unit, and reads nothing.
    """
    if not production or client.unit is not None:
        return False
    scopes = client.granted.items
    acts = GRANT_CLIENT_CREDENTIALS in client.grants or any(scope.level == "system" for scope in scopes)
    return acts or client.purpose in BREAK_GLASS or any(scope.resource_type == LOG for scope in scopes)


def bound_to(client: Client, *, jkt: str | None, certificate: str | None, production: bool) -> Mapping[str, str]:
    """`cnf` of the tokens of a request that proves the key `jkt` and comes over a connection with this certificate. Raises NotBound."""
    if client.binding == "dpop" and jkt is None:
        raise NotBound("this client is registered with tokens bound by DPoP: send a proof in the DPoP header")
    if client.binding == "mtls" and (certificate is None or client.certificate not in (None, certificate)):
        raise NotBound("this client is registered with tokens bound to its certificate: connect with it")
    mtls = client.binding == "mtls" and certificate is not None
    cnf = {**({} if jkt is None else {JKT: jkt}), **({X5T: certificate} if mtls and certificate else {})}
    if not cnf and must_be_bound(client, production=production):
        raise NotBound("this client needs tokens that are bound to a key or a certificate, and is registered without")
    return cnf


def may_be_used(client: Client, cnf: Mapping[str, str], *, production: bool) -> bool:
    """Is a token with this `cnf` as strong as the client's registration asks now?"""
    needed = {"none": None, "dpop": JKT, "mtls": X5T}[client.binding]
    if needed is not None:
        return needed in cnf
    return bool(cnf) or not must_be_bound(client, production=production)


def thumbprint(der: bytes) -> str:
    """Of a certificate: `x5t#S256`, base64url of the SHA-256 of its DER (RFC 8705 section 3.1)."""
    return urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode("ascii")


def token_type(cnf: Mapping[str, str]) -> str:
    """As the client has to send it (RFC 9449 section 5)."""
    return "DPoP" if JKT in cnf else "Bearer"
