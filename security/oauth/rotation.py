"""Changing a client's keys without a moment at which none is good: a new one beside the old one, and an end for the old one. Pure.

https://www.rfc-editor.org/rfc/rfc7517#section-5: a set holds several keys, told apart by `kid`. A key with an end is good until
then, in whichever process it is asked about; with it end the access tokens that it was used to obtain.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from security.oauth.clients import Client, KeyEnd
from security.oauth.jwks import KEYS_MAX, registrable

AT_ITS_URL = "this client's keys are at its own URL: change them there, both the old and the new one beside each other for a while"
ENDED_KEPT_MAX = 200
"""Names of keys that have ended, kept so that none comes back."""


def with_keys(client: Client, jwks: object, now_us: int) -> Client:
    """With these public keys too. Raises ValueError with a text for the person who registers them."""
    if client.jwks is None:
        raise ValueError(AT_ITS_URL)
    more = registrable(jwks)["keys"]
    known = {str(one["kid"]) for one in client.jwks["keys"]} | {one.kid for one in client.key_ends}
    if any(one["kid"] in known for one in more):
        raise ValueError("a key with this kid is registered already, or was once: a key that has ended does not come back")
    good = [one for one in client.jwks["keys"] if client.holds(str(one["kid"]), now_us)]
    if len(good) + len(more) > KEYS_MAX:
        raise ValueError(f"a client has at most {KEYS_MAX} keys that are good; retire some first")
    return replace(client, jwks={"keys": [*good, *more]})


def retired(client: Client, kid: str, until_us: int, now_us: int) -> Client:
    """Where this key is good until then at the latest. Raises ValueError: the last key that goes on is not retired."""
    if client.jwks is None:
        raise ValueError(AT_ITS_URL)
    if not client.holds(kid, now_us):
        raise ValueError("this client has no such key, or it has ended")
    going_on = [one for one in keys_of(client) if one["until_us"] is None and one["kid"] != kid]
    if not going_on:
        raise ValueError("this is the only key that goes on; add its successor first, or revoke the client")
    return _ended(client, {kid}, until_us)


def rotated(client: Client, jwks: object, until_us: int, now_us: int) -> Client:
    """These keys from now on; those before them until then at the latest. Raises ValueError."""
    before = {str(one["kid"]) for one in keys_of(client)}
    return _ended(with_keys(client, jwks, now_us), before, until_us)


def keys_of(client: Client) -> list[Mapping[str, Any]]:
    """Every registered key: kid, kty and `until_us`, None while it goes on."""
    ends = {one.kid: one.until_us for one in client.key_ends}
    keys = [] if client.jwks is None else client.jwks["keys"]
    return [{"kid": str(one["kid"]), "kty": str(one["kty"]), "until_us": ends.get(str(one["kid"]))} for one in keys]


def _ended(client: Client, kids: set[str], until_us: int) -> Client:
    """An end that was set before is only ever brought forward."""
    ends = {one.kid: one.until_us for one in client.key_ends}
    ends |= {kid: min(until_us, ends.get(kid, until_us)) for kid in sorted(kids)}
    known = {one["kid"] for one in keys_of(client)}
    made = [KeyEnd(kid=kid, until_us=end) for kid, end in ends.items()]
    gone = [one for one in made if one.kid not in known][-ENDED_KEPT_MAX:]
    return replace(client, key_ends=(*gone, *(one for one in made if one.kid in known)))
