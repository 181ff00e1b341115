"""An address that has to wait: nothing from there is right, nothing is hashed for it. NIST SP 800-63B-4 section 3.2.2, ASVS 5.0 2.4.1."""

import secrets
from ipaddress import ip_network
from typing import Any

import pytest

from hub.limits import sender
from hub.people.addresses import Addresses, name_of
from hub.people.proving import NotRight, Proving
from hub.proxied import Proxied
from hub.recording import RequestFacts
from hub.store.protocol import Unit
from security.people.account import Account
from security.people.lockout import FREE_ADDRESS
from tests.support.backstage import Backstage

pytestmark = pytest.mark.database


@pytest.mark.parametrize(("failures", "looked"), [(FREE_ADDRESS - 2, 1), (FREE_ADDRESS, 0)])
def test_while_an_address_waits_no_proof_from_there_is_looked_at(backstage: Backstage, failures: int, looked: int) -> None:
    """Each costs a tenth of a second and 64 MiB, and few wait at once: one sender could keep everybody else from signing in."""
    address, checked = f"2001:db8:{secrets.randbelow(65_536):x}:{secrets.randbelow(65_536):x}::1", []

    async def check(account: Account | None) -> Account | None:
        checked.append(account)
        return account

    async def nobody() -> None:
        return None

    async def attempts() -> None:
        services = backstage.hub.services
        addresses = Addresses(services)
        for _ in range(failures):
            page, known = await addresses.read(address)
            await services.store.commit(Unit(notes=(await addresses.failed(page, known),)))
        facts = RequestFacts(request_id=services.new_id(), interaction="sign-in", address=address)
        with pytest.raises(NotRight):
            await Proving(services=services, facts=facts, known_as=address, by="password").proved(nobody, check, lambda *_: nobody())

    backstage.run(attempts())
    assert len(checked) == looked


@pytest.mark.parametrize(
    ("peer", "lines", "sender"),
    [
        ("10.4.0.7", ["192.0.2.1"], "192.0.2.1"),
        ("10.4.0.7", ["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        ("10.4.0.7", ["198.51.100.9", "192.0.2.1,10.4.0.8"], "192.0.2.1"),
        ("10.4.0.7", ["2001:db8::1"], "2001:db8::1"),
        ("10.4.0.7", ["192.0.2.1, unknown"], "10.4.0.7"),
        ("10.4.0.7", ["fe80::1%x"], "10.4.0.7"),
        ("10.4.0.7", [], "10.4.0.7"),
        ("10.4.0.7", ["10.4.0.9"], "10.4.0.7"),
        ("203.0.113.5", ["192.0.2.1"], "203.0.113.5"),
    ],
)
async def test_behind_a_proxy_people_do_not_wait_for_each_others_wrong_passwords(peer: str, lines: list[str], sender: str) -> None:
    """OWASP ASVS 5.0 4.1.3: the address that the proxy saw; what a client wrote before it, or sent past the proxy, counts for nothing."""
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    async def nothing(*_: Any) -> Any:
        return None

    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    scope = {"type": "http", "client": (peer, 1), "headers": headers}
    await Proxied(app, [ip_network("10.4.0.0/24")])(scope, nothing, nothing)
    assert seen == [sender]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_who_counts_as_one_sender(one: str, other: str, same: bool) -> None:
    """RFC 4291 section 2.5.5.2: an IPv4 address in IPv6's form is that address, and not all of them are one; RFC 6177: a network is."""
    assert (sender(one) == sender(other)) is same
    assert (name_of(one) == name_of(other)) is same
