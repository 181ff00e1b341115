"""Where an answer of authorize may go, and how it is written there.

https://www.rfc-editor.org/rfc/rfc9700#section-2.1 (exact comparison), https://www.rfc-editor.org/rfc/rfc8252#section-7.3 (loopback)
"""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from security.oauth.clients import Client

URI_MAX_CHARS = 2_048
LOOPBACK = frozenset({"127.0.0.1", "::1"})
"""By address and not by name: `localhost` may be somebody else (RFC 8252 section 8.3)."""


def is_registered(client: Client, uri: str) -> bool:
    """Compared as text, character by character; of a native app on a loopback address all but the port."""
    registered = client.app.redirect_uris if client.app is not None else ()
    if len(uri) > URI_MAX_CHARS or not uri.isascii() or not uri.isprintable():
        return False
    if uri in registered:
        return True
    if client.authentication != "none":
        return False
    bare = _without_port(uri)
    return bare is not None and any(bare == _without_port(one) for one in registered)


def _without_port(uri: str) -> str | None:
    """The text of a loopback URI with its port left out; None for any other URI."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    named = f"[{host}]" if host == "::1" else host
    authority = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    if parts.scheme != "http" or host not in LOOPBACK or authority != named:  # nobody's name before an @ either
        return None
    return uri.replace(parts.netloc, authority, 1)


def answer_at(uri: str, parameters: Mapping[str, str]) -> str:
    """The URI with these parameters added to whatever query it has (RFC 6749 section 4.1.2)."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}"
