"""Addresses that a registration may name: where a browser is sent back to, where an app is, whose pages call. Pure.

https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2, https://www.rfc-editor.org/rfc/rfc8252#section-7,
https://www.rfc-editor.org/rfc/rfc9700#section-2.1. What two programs could read in two ways is refused when it is registered: a
redirect URI is compared as text, and the browser that goes there has to mean the same by it.
"""

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, NamedTuple

URI_MAX_CHARS: Final = 1_024
PORT_MAX: Final = 65_535
LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
HOST_MAX_CHARS: Final = 253
CHARACTERS: Final = re.compile(r"(?:[A-Za-z0-9._~:/?\[\]!$&'()+,;=@-]|%[0-9A-Fa-f]{2})+")
"""Those of RFC 3986 without the fragment, and without "*": a wildcard would be read as one by somebody."""
PRIVATE_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9][a-z0-9+-]*)+")
"""A domain name of the app's maker, reversed (RFC 8252 section 7.1)."""
ENCODED_TRICK: Final = re.compile(r"%(?:2e|2f|5c|0[0-9a-f]|1[0-9a-f]|7f|25)", re.IGNORECASE)
"""A dot, a slash, a backslash, a control character or a percent sign, written so that the one sees it and the other does not."""
OWN_PARAMETERS: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "response", "access_token"})
LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})


class Parts(NamedTuple):
    """host as it is written; rest: path and query."""

    scheme: str
    host: str
    port: int | None
    rest: str


def redirect_uri(text: str) -> str:
    """The same text, if a browser may be sent there. Raises ValueError with a text for who registers it."""
    _check_characters(text)
    scheme, colon, rest = text.partition(":")
    if not colon or scheme != scheme.lower():
        raise ValueError("a redirect URI begins with a scheme in small letters")
    if scheme in ("https", "http"):
        _check_rest(_web(text).rest)
        return text
    if not PRIVATE_SCHEME.fullmatch(scheme):
        raise ValueError("a redirect URI is https, http on this machine, or of a scheme that is a reversed domain (com.example.app:/back)")
    if not rest.startswith("/"):
        raise ValueError("after a scheme of its own a redirect URI goes on with a slash")
    if "@" in rest:
        raise ValueError("a redirect URI names no user")
    _check_rest(rest)
    return text


def web_url(text: str) -> str:
    """An https URL (http on this machine) for people or for keys. Raises ValueError."""
    _check_characters(text)
    _check_path(_web(text).rest)
    return text


def origin(text: str) -> str:
    """Scheme, host and port, as browsers write them (RFC 6454 section 6.2). Raises ValueError."""
    _check_characters(text)
    if _web(text).rest:
        raise ValueError("an origin is https://host or https://host:port, without anything behind it")
    if origin_of(text) != text:
        raise ValueError("an origin leaves the usual port out")
    return text


def origin_of(uri: str) -> str:
    """Of a web address. Raises ValueError for what is none."""
    parts = _web(uri)
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{parts.host}" + ("" if parts.port in (None, usual) else f":{parts.port}")


def origins_of(redirect_uris: Sequence[str]) -> tuple[str, ...]:
    """Of the pages that an app is led back to; each once, apps without a page left out. Raises ValueError."""
    return tuple(dict.fromkeys(origin_of(uri) for uri in redirect_uris if uri.startswith(("https://", "http://"))))


def _check_characters(text: str) -> None:
    if not 0 < len(text) <= URI_MAX_CHARS:
        raise ValueError(f"an address has 1 to {URI_MAX_CHARS} characters")
    if not CHARACTERS.fullmatch(text):
        raise ValueError("an address is written in ASCII (other letters percent-encoded), without fragment, wildcard, backslash or space")


def _web(text: str) -> Parts:
    """Raises ValueError for what is not https, or http on this machine."""
    scheme, separator, behind = text.partition("://")
    if scheme not in ("https", "http") or not separator:
        raise ValueError("the address must begin with https://, written in small letters")
    authority = re.split(r"[/?]", behind, maxsplit=1)[0]
    rest = behind[len(authority) :]
    if "@" in authority or "%" in authority:
        raise ValueError("an address names no user, and nothing in its host is percent-encoded")
    host, port = _host_and_port(authority)
    if scheme == "http" and host not in LOOPBACK:
        raise ValueError("http is for this machine alone (127.0.0.1, [::1], localhost); use https")
    return Parts(scheme, host, port, rest)


def _host_and_port(authority: str) -> tuple[str, int | None]:
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else (authority, "", "")
    if not colon:
        host = authority
    if colon and (not port.isdecimal() or port.startswith("0") or len(port) > len(str(PORT_MAX)) or int(port) > PORT_MAX):
        raise ValueError("the port of the address does not exist")
    if not _is_host(host):
        raise ValueError("the host is a name in small letters or an IP address in its usual form, without a dot at its end")
    return host, int(port) if colon else None


def _is_host(host: str) -> bool:
    """A last label of digits would be read as an IPv4 address in a form that only some programs know."""
    try:
        if host.startswith("["):
            return host.endswith("]") and host[1:-1] == str(IPv6Address(host[1:-1]))
        labels = host.split(".")
        if labels[-1].isdecimal() or labels[-1].startswith("0x"):
            return host == str(IPv4Address(host))
    except AddressValueError:
        return False
    return len(host) <= HOST_MAX_CHARS and all(LABEL.fullmatch(label) for label in labels)


def _check_rest(rest: str) -> None:
    _check_path(rest)
    names = {part.partition("=")[0].lower() for part in rest.partition("?")[2].split("&")}
    if names & OWN_PARAMETERS:
        raise ValueError("the query of a redirect URI uses a name that the answer itself will use, such as code or state")


def _check_path(rest: str) -> None:
    path = rest.partition("?")[0]
    if {".", ".."} & set(path.split("/")) or ENCODED_TRICK.search(path) or "[" in rest or "]" in rest:
        raise ValueError("the path is written as it is meant: without . or .. and without encoded dots, slashes or percent signs")
