"""The request as BALP wants it in AuditEvent.entity.query, without what must not be kept.

https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.Query.html
"""

from base64 import b64encode
from urllib.parse import unquote

SECRETS = frozenset(
    {
        *(
            "client_assertion",
            "client_secret",
            "code",
            "code_verifier",
            "password",
            "access_token",
            "refresh_token",
            "subject_token",
            "token",
        ),
        *("request", "request_uri", "launch", "device_code", "user_code", "state", "nonce", "id_token_hint", "login_hint", "next"),
    }
)
"""OAuth parameters that open doors, or name a person (RFC 6749, 7521, 7636, 7009, 8628, 9126, OpenID Connect Core), and `next`, the
address of a page that may hold such a one. Only requests to the authorization server have them; in a search `code` is a code."""

CREDENTIALS = frozenset({"access_token", "client_assertion", "client_secret", "id_token_hint", "password", "refresh_token"})
"""Nothing else is called so: who puts one into the URL of a search shows it to everybody on the way, but not to who reads the log."""


def request_line(method: str | None, query: str | None, *, secrets: bool, values: bool) -> str:
    """Method, path and parameters in base64. Without `values` only the names of the parameters are kept; `secrets` says
    that there may be some, whose values are never kept.

    Names and ids of persons stand in values: they are kept where a patient's key seals them, or where nobody is concerned.
    """
    path, mark, parameters = (query or "").partition("?")
    if mark:
        kept = (_parameter(one, values=values, secrets=secrets) for one in parameters.split("&"))
        path = f"{path}?{'&'.join(kept)}"
    return b64encode(f"{method or 'GET'} {path}".encode("utf-8", "surrogatepass")).decode()


def _parameter(text: str, *, values: bool, secrets: bool) -> str:
    name, equals, _ = text.partition("=")
    meant = unquote(name).lower()
    if values and meant not in CREDENTIALS and not (secrets and meant in SECRETS):
        return text
    return name + equals if equals else ""
