"""Signing in with another OpenID provider, a real one over HTTP: what it proves counts, and what it does not prove opens nothing."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from playwright.sync_api import Browser, expect

from hub.account.words import SECURITY_WORDS
from hub.console.words import said
from hub.limits import LIMITS, sender
from hub.notebook import Notebook
from hub.people.accounts import Accounts
from hub.people.addresses import ADDRESSES, name_of
from hub.people.federating import OFTEN, PER_SENDER
from hub.store.protocol import Unit
from security.people.account import Account
from security.people.lockout import FOREVER_US, FREE_ADDRESS
from security.people.rpps import is_rpps
from tests.support.backstage import Backstage
from tests.support.caller import asked_alone
from tests.support.issuer import CLIENT_ID, SECRET, Issuer, issuing
from tests.support.process import HubProcess
from tests.support.signing_in import COOKIE, Someone, add_person, now_us, sent, visitor

EN = said("en", SECURITY_WORDS)
SIGN_IN, BUTTON = "/account/sign-in?lang=en", "/account/federated/directory"
LEVEL = "eidas1"
FORWARDED = "X-Forwarded-For"
Json = dict[str, Any]

pytestmark = pytest.mark.database


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """A hub and the provider that it trusts."""

    process: HubProcess
    backstage: Backstage
    issuer: Issuer


@pytest.fixture(scope="module")
def module_both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    directory = tmp_path_factory.mktemp("federated")
    with issuing() as issuer:
        settings = {"HUB_OPENID_PROVIDERS": str(listed(directory, issuer)), "HUB_PROXY_NETWORKS": "127.0.0.0/8"}
        process = HubProcess(directory / "data", **settings).start()
        try:
            with Backstage(process.data_dir, process.url) as backstage:
                yield Both(process=process, backstage=backstage, issuer=issuer)
        finally:
            process.stop()


def listed(directory: Path, issuer: Issuer) -> Path:
    (directory / "secret").write_text(SECRET)
    directory_of_professionals = {
        "name": "directory",
        "title": "Directory of the tests",
        "issuer": issuer.url,
        "client_id": CLIENT_ID,
        "secret_file": "secret",
        "acr_values": [LEVEL],
        "match": "rpps",
    }
    path = directory / "providers.json"
    path.write_text(json.dumps([directory_of_professionals]))
    return path


@pytest.fixture
def both(module_both: Both) -> Both:
    """With nobody at the provider yet, and nothing but the truth from it."""
    module_both.issuer.honest()
    module_both.issuer.who = {}
    return module_both


@pytest.fixture
def client(both: Both) -> Iterator[httpx.Client]:
    """From an address of its own, as behind a proxy: what is wrong counts for nobody else."""
    with visitor(both.process.url) as one:
        one.headers[FORWARDED] = f"2001:db8:{secrets.randbelow(65_536):x}:{secrets.randbelow(65_536):x}::1"
        yield one


def doctor(both: Both, number: str) -> Someone:
    """With this number in the directory of professionals, and sitting at the provider."""
    both.issuer.who = {"sub": f"sub-{number}", "acr": LEVEL, "amr": ["sc"], "SubjectNameID": f"8{number}"}
    return add_person(both.backstage, "practitioner", rpps=number)


def numbers() -> Iterator[str]:
    return (text for text in map(str, range(20_000_000_000 + time.time_ns() % 10**9, 30_000_000_000)) if is_rpps(text))


def back(client: httpx.Client, **fields: str) -> str:
    """Path and query with which the provider leads the browser back."""
    there = sent(client, SIGN_IN, fields, to=BUTTON)
    assert there.status_code == 303, there.text
    answer = asked_alone("GET", there.headers["location"])
    return answer.headers["location"].partition("//")[2].partition("/")[2].join(("/", ""))


def account_of(both: Both, someone: Someone) -> Account:
    filed = both.backstage.run(Accounts(both.backstage.hub.services).find(someone.id))
    assert filed is not None
    return filed.account


def is_in(answer: httpx.Response) -> bool:
    return any(one.startswith(f"{COOKIE}=") for one in answer.headers.get_list("set-cookie"))


def test_a_professional_signs_in_by_the_number_in_the_directory(both: Both, client: httpx.Client) -> None:
    """Pro Santé Connect: SubjectNameID is 8 and the RPPS number; its level counts as a second factor, and is the session's."""
    someone = doctor(both, next(numbers()))
    answer = client.get(back(client, next="/account/device"))
    assert (answer.status_code, answer.headers["location"].partition("?")[0], is_in(answer)) == (303, "/account/device", True)
    (record,) = [one for one in both.backstage.records(answer.headers["x-request-id"]) if one.kind == "sign-in"]
    assert someone.id in str(record.event["agent"])
    asked = both.issuer.asked[-1]
    assert (asked["code_challenge_method"], asked["acr_values"], len(asked["state"]), len(asked["nonce"])) == ("S256", LEVEL, 43, 43)
    shown = both.process.command("user", "show", someone.login).json()
    assert shown["federated"] == [both.issuer.url]


def test_afterwards_it_is_the_providers_own_name_for_the_person_that_counts(both: Both, client: httpx.Client) -> None:
    """OpenID Connect Core section 5.7: iss and sub together are the stable identifier; another sub with this number is somebody else."""
    number = next(numbers())
    doctor(both, number)
    assert is_in(client.get(back(client)))
    both.issuer.who = {**both.issuer.who, "SubjectNameID": "unknown"}
    assert is_in(client.get(back(client)))
    both.issuer.who = {"sub": "another", "acr": LEVEL, "SubjectNameID": f"8{number}"}
    assert not is_in(client.get(back(client)))


def test_who_has_no_account_here_gets_none(both: Both, client: httpx.Client) -> None:
    both.issuer.who = {"sub": "nobody", "acr": LEVEL, "SubjectNameID": f"8{next(numbers())}"}
    answer = client.get(back(client))
    assert (answer.status_code, EN["elsewhere-not"] in answer.text, is_in(answer)) == (403, True, False)


def test_an_account_is_linked_by_command(both: Both, client: httpx.Client) -> None:
    """For a provider without numbers: a person of it is tied to an account by those who run the hub."""
    someone = add_person(both.backstage, "compliance")
    both.issuer.who = {"sub": f"linked-{someone.id}", "acr": LEVEL}
    assert not is_in(client.get(back(client)))
    done = both.process.command("user", "link", someone.login, "--issuer", both.issuer.url, "--subject", f"linked-{someone.id}")
    assert done.code == 0, done.err
    assert is_in(client.get(back(client)))
    both.process.command("user", "disable", someone.login)
    assert not is_in(client.get(back(client)))


def test_a_link_is_taken_away_by_command_and_whoever_came_in_by_it_is_out(both: Both, client: httpx.Client) -> None:
    """On record under who gave the command; the name at the provider is free again, for whoever it is."""
    someone, other = add_person(both.backstage, "compliance"), add_person(both.backstage, "vendor")
    named = ("--issuer", both.issuer.url, "--subject", f"moved-{someone.id}")
    unlink = ("user", "unlink", someone.login, "--issuer", both.issuer.url, "--reason", "it was somebody else")
    both.issuer.who = {"sub": f"moved-{someone.id}", "acr": LEVEL}
    assert both.process.invoke("user", "link", someone.login, *named).code == 0
    assert is_in(client.get(back(client)))
    assert both.process.invoke("user", "link", other.login, *named).code == 1
    (record,) = both.backstage.recorded_by(lambda: both.process.invoke(*unlink))
    assert (record.kind, "it was somebody else" in str(record.event), "moved-" in str(record.event)) == ("account-change", True, False)
    assert client.get("/account/security").status_code == 303
    assert not is_in(client.get(back(client)))
    assert (account_of(both, someone).federated, both.process.invoke("user", "show", someone.login).json()["federated"]) == ((), [])
    again = both.process.invoke(*unlink)
    assert (again.code, "not linked" in again.err) == (1, True)
    assert both.process.invoke("user", "link", other.login, *named).code == 0
    assert is_in(client.get(back(client)))


def unsigned(_: Issuer, claims: Json) -> str:
    parts = ({"alg": "none", "kid": "one"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def by_another_key(issuer: Issuer, claims: Json) -> str:
    return issuer.signed(claims, RSAKey.generate_key(2048))


def by_the_secret(_: Issuer, claims: Json) -> str:
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(SECRET.ljust(32, "x")))


def changed(**claims: Any) -> Callable[[Json], Json]:
    return lambda made: {**made, **claims}


@pytest.mark.parametrize(
    "lie",
    [
        changed(iss="https://elsewhere.example"),
        changed(aud="another client"),
        changed(aud=[CLIENT_ID, "another"]),
        changed(azp="another"),
        changed(exp=1),
        changed(iat=1),
        changed(nonce="x" * 43),
        changed(nonce=None),
        changed(at_hash="x" * 22),
        changed(acr="eidas0"),
        changed(acr=None),
        changed(sub=""),
        changed(sub=7),
    ],
    ids=["iss", "aud", "aud-two", "azp", "exp", "iat", "nonce", "no-nonce", "at_hash", "acr", "no-acr", "no-sub", "sub-number"],
)
def test_what_an_id_token_does_not_prove_opens_nothing(both: Both, client: httpx.Client, lie: Callable[[Json], Json]) -> None:
    """OpenID Connect Core section 3.1.3.7, each check alone; acr as Pro Santé Connect asks for it."""
    doctor(both, next(numbers()))
    both.issuer.lie = lie
    answer = client.get(back(client))
    assert (answer.status_code, is_in(answer)) == (403, False)
    assert [one.outcome for one in both.backstage.records(answer.headers["x-request-id"])][-1] == "4"
    both.issuer.honest()
    assert is_in(client.get(back(client)))


@pytest.mark.parametrize("sign", [unsigned, by_another_key, by_the_secret], ids=["none", "another-key", "HS256"])
def test_an_id_token_that_the_provider_has_not_signed_opens_nothing(
    both: Both, client: httpx.Client, sign: Callable[[Issuer, Json], str]
) -> None:
    """RFC 8725 section 3.1: the algorithm is ours to choose."""
    doctor(both, next(numbers()))
    both.issuer.sign = sign
    assert not is_in(client.get(back(client)))


@pytest.mark.parametrize(
    "answer",
    [changed(iss="https://elsewhere.example"), lambda given: {key: given[key] for key in ("code", "state")}],
    ids=["another", "none"],
)
def test_an_answer_of_another_issuer_is_not_taken(both: Both, client: httpx.Client, answer: Callable[[Json], Json]) -> None:
    """RFC 9207 section 2.4: mix-up; no code of it is ever sent to the token endpoint."""
    doctor(both, next(numbers()))
    both.issuer.answer = answer
    place = back(client)
    waiting = len(both.issuer.codes)
    assert not is_in(client.get(place))
    assert len(both.issuer.codes) == waiting


def test_an_answer_is_good_once_and_in_the_browser_that_began_alone(both: Both, client: httpx.Client) -> None:
    """RFC 6749 section 10.12: a link with somebody else's code signs nobody in."""
    doctor(both, next(numbers()))
    place = back(client)
    with visitor(both.process.url) as other:
        other.get(SIGN_IN)
        assert other.get(place).status_code == 401
    assert is_in(client.get(place))
    assert client.get(place).status_code == 401


def test_a_person_who_declines_there_is_told_so_here(both: Both, client: httpx.Client) -> None:
    both.issuer.answer = lambda given: {"error": "access_denied", "state": given["state"], "iss": given["iss"]}
    answer = client.get(back(client))
    assert (answer.status_code, EN["elsewhere-not"] in answer.text) == (403, True)


def test_the_provider_is_asked_where_it_is_once_and_not_at_each_sign_in(both: Both, client: httpx.Client) -> None:
    """RFC 9111 section 5.2: anybody can press the button, on any page of ours, without having proved anything."""
    doctor(both, next(numbers()))
    assert is_in(client.get(back(client)))
    before = both.issuer.discovered
    for _ in range(3):
        back(client)
    assert is_in(client.get(back(client)))
    assert both.issuer.discovered == before


def test_who_begins_too_often_has_to_wait_and_nobody_else_does(both: Both, client: httpx.Client) -> None:
    """OWASP ASVS 5.0 2.4.1: counted for all processes by the address that the proxy saw, and on record."""
    remember(both, LIMITS, f"{PER_SENDER.what} {sender(client.headers[FORWARDED])}", {"n": PER_SENDER.most - 1})
    assert sent(client, SIGN_IN, {}, to=BUTTON).status_code == 303
    refused = sent(client, SIGN_IN, {}, to=f"{BUTTON}?lang=en")
    assert (refused.status_code, OFTEN in refused.text, 0 < int(refused.headers["retry-after"]) <= 600) == (429, True, True)
    assert [(one.kind, one.outcome) for one in both.backstage.records(refused.headers["x-request-id"])] == [("sign-in-refused", "4")]
    with visitor(both.process.url) as other:
        assert sent(other, SIGN_IN, {}, to=BUTTON).status_code == 303


def test_what_a_provider_does_not_prove_counts_where_it_came_from(both: Both, client: httpx.Client) -> None:
    """As a wrong password does: an address that waits begins no sign-in elsewhere, and finishes none."""
    doctor(both, next(numbers()))
    places = [back(client), back(client)]
    remember(both, ADDRESSES, name_of(client.headers[FORWARDED]), {"failures": FREE_ADDRESS - 1, "since_us": now_us()})
    both.issuer.lie = changed(nonce=None)
    assert client.get(places[0]).status_code == 403
    both.issuer.honest()
    waiting = len(both.issuer.codes)
    assert not is_in(client.get(places[1]))
    assert len(both.issuer.codes) == waiting, "the provider is not asked"
    assert sent(client, SIGN_IN, {}, to=BUTTON).status_code == 429


def remember(both: Both, kind: str, name: str, content: Json) -> None:
    """A note about a sender, as if it had been written a moment ago."""
    services = both.backstage.hub.services

    async def written() -> None:
        notes = Notebook(services, kind)
        note = await notes.write(await notes.read(name), content, notes.now_us + PER_SENDER.window_us)
        await services.store.commit(Unit(notes=(note,)))

    both.backstage.run(written())


@pytest.mark.parametrize(
    ("waiting", "enters"),
    [({"failures": 100, "locked_until_us": FOREVER_US}, True), ({"code_failures": 100, "code_locked_until_us": FOREVER_US}, False)],
    ids=["passwords", "codes"],
)
def test_wrong_passwords_keep_nobody_out_who_signs_in_elsewhere(both: Both, client: httpx.Client, waiting: Json, enters: bool) -> None:
    """Whoever knows a login can type wrong passwords, and does it; wrong codes come from somebody who has a first factor already."""
    number = next(numbers())
    both.issuer.who = {"sub": f"sub-{number}", "acr": LEVEL, "amr": ["sc"], "SubjectNameID": f"8{number}"}
    someone = add_person(both.backstage, "practitioner", rpps=number, **waiting)
    assert is_in(client.get(back(client))) is enters
    account = account_of(both, someone)
    assert {name: getattr(account, name) for name in waiting} == waiting, "the password waits on"
    assert sent(client, SIGN_IN, {"login": someone.login, "password": someone.password}).status_code == 403


def test_the_button_works_in_a_browser(both: Both, browser: Browser) -> None:
    """The page's policy lets its form lead to the provider, and to nowhere else."""
    doctor(both, next(numbers()))
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{both.process.url}/account/security")
    page.get_by_role("button", name="Directory of the tests").click()
    expect(page.get_by_role("heading", name=EN["security"])).to_be_visible()
    assert urlsplit(page.url).path == "/account/security"
    context.close()
