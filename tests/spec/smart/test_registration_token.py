"""The registration access token of an app: replaced with each change, replaced or ended alone by whoever runs the hub.

https://www.rfc-editor.org/rfc/rfc7592#section-2.2
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from hub.console.words import said
from hub.desk.client_words import CLIENT_WORDS
from hub.limits import LIMITS
from tests.spec.smart.test_registration import ask_token
from tests.spec.smart.test_registration_configuration import App
from tests.support.console import console
from tests.support.fixtures import Running
from tests.support.signing_in import forget_addresses

pytestmark = pytest.mark.database
TOKEN = "registration_access_token"
EN = said("en", CLIENT_WORDS)
AT_ONCE = 6


@pytest.fixture(autouse=True)
def many(running: Running) -> Iterator[None]:
    """What was counted of the registrations of this address is forgotten, by whichever file."""
    forget_addresses(running.backstage, LIMITS)
    yield
    forget_addresses(running.backstage, LIMITS)


@pytest.fixture(params=[False, True], ids=["waits", "approved"])
def app(request: pytest.FixtureRequest, http: httpx.Client, running: Running) -> App:
    made = App(http, running)
    if request.param:
        made.approve()
    return made


def still_works(app: App) -> bool:
    """The registration and its secret are as they were; an app that waits is not there for anybody."""
    return ask_token(app.http, app.id, app.made["client_secret"]).json()["error"] == (
        "unauthorized_client" if app.approved else "invalid_client"
    )


def test_each_change_gives_another_token_and_the_one_before_is_good_no_more(app: App, running: Running) -> None:
    """Section 2.2: the answer may include a new token, and the app discards the one before; so has the hub, which keeps a hash alone."""
    before = app.made[TOKEN]
    answer = app.change()
    assert answer.status_code == 200
    after = answer.json()[TOKEN]
    assert after != before
    assert [app.ask(method, token=before, json={"client_id": app.id, **app.said}).status_code for method in ("GET", "PUT", "DELETE")] == [
        401
    ] * 3
    assert app.ask("GET", token=after).json() == answer.json()
    assert still_works(app)
    assert after not in str([list(running.backstage.admin["hub"][one].find()) for one in ("notes", "oauth_clients")])


def test_looking_and_being_refused_replaces_nothing(app: App) -> None:
    """Who reads twice, or is told what was wrong, keeps the token that it has."""
    assert app.ask("GET").json()[TOKEN] == app.made[TOKEN]
    assert app.change(scope="patient/*.cruds system/*.rs").status_code == 400
    assert app.ask("GET").status_code == 200


def test_of_changes_at_once_by_one_token_one_is_made(app: App) -> None:
    """OWASP ASVS 5.0 15.4.2: whoever has the old token and comes at the same moment has no new one by it."""
    token, body = app.made[TOKEN], {"client_id": app.id, **app.said}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: app.ask("PUT", token=token, json=body), range(AT_ONCE)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * (AT_ONCE - 1)]
    (made,) = (answer.json()[TOKEN] for answer in answers if answer.status_code == 200)
    assert app.ask("GET", token=made).status_code == 200


def test_an_administrator_replaces_the_token_alone(app: App, running: Running, tmp_path: Path) -> None:
    """For who lost it, or the answer with it: written once, readable by its owner; the registration stays as it is."""
    before, file = app.ask("GET").json(), tmp_path / "token"
    given = ("client", "registration-token", "rotate", app.id, "--token-out", str(file), "--reason", "lost")
    records = running.backstage.recorded_by(lambda: running.process.invoke(*given))
    assert [(one.kind, one.outcome) for one in records] == [("client-token-rotate", "0")]
    assert file.stat().st_mode & 0o777 == 0o600
    assert app.ask("GET").status_code == 401
    token = file.read_text()
    assert app.ask("GET", token=token).json() == {**before, TOKEN: token}
    assert still_works(app)
    assert running.process.invoke(*given).code == 2, "never overwritten"


def test_an_administrator_ends_the_token_alone(app: App, running: Running) -> None:
    """It looks after its registration no more, and everything else of it goes on."""
    records = running.backstage.recorded_by(lambda: running.process.invoke("client", "registration-token", "end", app.id))
    assert [(one.kind, one.outcome) for one in records] == [("client-token-end", "0")]
    assert [app.ask(method, json={"client_id": app.id, **app.said}).status_code for method in ("GET", "PUT", "DELETE")] == [401] * 3
    assert running.process.invoke("client", "show", app.id).json()["registration_token"] is False
    assert running.process.invoke("client", "registration-token", "end", app.id).code == 1, "there is none any more"
    assert still_works(app)


def test_a_backend_gets_no_token(running: Running, ehr: object) -> None:
    """What may be changed by a token is what an app says of itself; a backend's registration is the operator's."""
    for act in (("rotate", "ehr-client", "--token-out", "never-written"), ("end", "ehr-client"), ("end", "nobody")):
        assert running.process.invoke("client", "registration-token", *act).code == 1
    assert not Path("never-written").exists()


def test_the_console_replaces_and_ends_it(http: httpx.Client, running: Running, browser: Browser) -> None:
    """Asked about on a page of its own; shown once."""
    app = App(http, running)
    app.approve()
    with console(browser, running) as page:
        page.goto(f"{running.process.url}/console/clients/{app.id}")
        page.get_by_role("link", name=EN["do-token-rotate"]).click()
        assert app.ask("GET").status_code == 200, "a look changes nothing"
        page.get_by_role("button", name=EN["do-token-rotate"]).click()
        page.get_by_role("heading", name=EN["token"]).wait_for()
        token = page.locator("pre code").inner_text()
        assert (app.ask("GET").status_code, app.ask("GET", token=token).status_code) == (401, 200)
        page.goto(f"{running.process.url}/console/clients/{app.id}/token-end")
        page.get_by_role("button", name=EN["do-token-end"]).click()
        assert page.get_by_role("status").inner_text() == EN["told-token-end"]
        assert page.get_by_role("link", name=EN["do-token-rotate"]).count() == 0
    assert app.ask("GET", token=token).status_code == 401
    assert app.client.revoked_us is None
