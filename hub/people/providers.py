"""Which OpenID providers people may sign in with: a JSON file that HUB_OPENID_PROVIDERS names, read once, refused as a whole if wrong."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from security.people.federation import ALGORITHMS, MATCHES, PROOFS, Provider

NAME: Final = re.compile(r"[a-z0-9-]{1,32}")
FIELDS: Final = frozenset(
    {
        "name",
        "title",
        "issuer",
        "client_id",
        "authentication",
        "secret_file",
        "key_file",
        "scopes",
        "acr_values",
        "algorithms",
        "origins",
        "match",
        "rpps_claim",
    }
)
LISTS: Final = ("scopes", "acr_values", "algorithms", "origins")


class BadProviders(Exception):
    """The file cannot be used; the text says why, and repeats no secret."""


def providers_of(path: Path | None) -> Mapping[str, Provider]:
    """By name. Raises BadProviders."""
    if path is None:
        return {}
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise BadProviders(f"HUB_OPENID_PROVIDERS cannot be read: {type(error).__name__}") from None
    if not isinstance(document, list):
        raise BadProviders("HUB_OPENID_PROVIDERS is a list of providers")
    found = [_provider(one, path.parent) for one in document]
    if len({one.name for one in found}) != len(found) or len({one.issuer for one in found}) != len(found):
        raise BadProviders("HUB_OPENID_PROVIDERS: each name and each issuer once")
    return {one.name: one for one in found}


def _provider(one: object, beside: Path) -> Provider:
    if not isinstance(one, dict) or not {"name", "title", "issuer", "client_id"} <= set(one) <= FIELDS:
        raise BadProviders(
            f"HUB_OPENID_PROVIDERS: a provider has name, title, issuer and client_id, and may have {', '.join(sorted(FIELDS))}"
        )
    given: dict[str, Any] = {name: value for name, value in one.items() if not name.endswith("_file")}
    given |= {name: tuple(given[name]) for name in LISTS if isinstance(given.get(name), list)}
    authentication = given.setdefault("authentication", "client_secret_basic")
    _check(given, authentication)
    if authentication.startswith("client_secret"):
        given["secret"] = _file(one, "secret_file", beside).decode().strip()
    if authentication == "private_key_jwt":
        given["key"] = _file(one, "key_file", beside)
    return Provider(**given)


def _check(given: Mapping[str, Any], authentication: object) -> None:
    name = str(given["name"])
    wrong = next((field for field in LISTS if not isinstance(given.get(field, ()), tuple)), None)
    wrong = wrong or next((field for field, value in given.items() if field not in LISTS and not isinstance(value, str)), None)
    if not NAME.fullmatch(name) or wrong is not None:
        raise BadProviders(f"HUB_OPENID_PROVIDERS: {wrong or 'name'} of {name[:32]!r} is not of its kind")
    if urlsplit(given["issuer"]).scheme not in {"https", "http"} or "openid" not in given.get("scopes", ("openid",)):
        raise BadProviders(f"HUB_OPENID_PROVIDERS: {name} needs an issuer that is a URL, and the scope openid")
    if authentication not in PROOFS or given.get("match", "linked") not in MATCHES:
        raise BadProviders(
            f"HUB_OPENID_PROVIDERS: authentication of {name} is one of {', '.join(PROOFS)}, match one of {', '.join(MATCHES)}"
        )
    if not set(given.get("algorithms", ())) <= set(ALGORITHMS):
        raise BadProviders(f"HUB_OPENID_PROVIDERS: algorithms of {name} are of {', '.join(ALGORITHMS)}")


def _file(one: Mapping[str, Any], field: str, beside: Path) -> bytes:
    """A secret or key, in a file of its own; a relative path is meant beside the list."""
    try:
        return (beside / str(one[field])).read_bytes()
    except (KeyError, OSError):
        raise BadProviders(f"HUB_OPENID_PROVIDERS: {str(one['name'])[:32]!r} needs a {field} that can be read") from None
