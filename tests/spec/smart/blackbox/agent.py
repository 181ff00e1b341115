"""Somebody with a browser: brings an authorization request to its end, by the server's pages or by a command that knows them."""

import base64
import hmac
import struct
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import httpx

from tests.spec.smart.blackbox.pages import Form, forms_of
from tests.spec.smart.blackbox.party import Request
from tests.spec.smart.blackbox.target import Somebody, Target, http_client

STEPS_MAX = 16
COMMAND_S = 120
ALLOW, DENY = "allow", "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where it ended: `url` is where the browser was sent, outside of the server; None: it was not, and `page` is what was shown.

    seen  every page on the way
    """

    url: str | None
    page: httpx.Response | None = None
    seen: tuple[httpx.Response, ...] = ()


class Agent(Protocol):
    def decide(self, request: Request, who: Somebody, *, allow: bool = True, post: bool = False) -> Landing:
        """The authorization request in a browser, by GET or POST, until it leads somewhere else, or nowhere."""

    def launch(self, client_id: str, who: Somebody) -> Landing:
        """A launch from within the EHR: this person chooses this app, and a patient."""


class Command:
    """`COMMAND… URL LOGIN allow|deny` prints the URL that the browser was led to, or nothing."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command

    def decide(self, request: Request, who: Somebody, *, allow: bool = True, post: bool = False) -> Landing:
        words = [*self._command, request.url, who.login, ALLOW if allow else DENY, *(("post",) if post else ())]
        done = subprocess.run(words, capture_output=True, text=True, timeout=COMMAND_S, check=True)
        return Landing(url=done.stdout.strip() or None)

    def launch(self, client_id: str, who: Somebody) -> Landing:
        """`COMMAND… CLIENT_ID LOGIN launch` prints the URL at which the app was launched."""
        words = [*self._command, client_id, who.login, "launch"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=COMMAND_S, check=True)
        return Landing(url=done.stdout.strip() or None)


class Hands:
    """The hub's own pages, by their forms. One browser for each person, who signs in once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._browsers: dict[str, httpx.Client] = {}

    def browser(self, who: Somebody) -> httpx.Client:
        if who.login not in self._browsers:
            browser = http_client()
            if who.cookie is not None:
                name, _, value = who.cookie.partition("=")
                browser.cookies.set(name, value, domain=urlsplit(self._target.origin).hostname or "")
            self._browsers[who.login] = browser
        return self._browsers[who.login]

    def close(self) -> None:
        for browser in self._browsers.values():
            browser.close()

    def decide(self, request: Request, who: Somebody, *, allow: bool = True, post: bool = False) -> Landing:
        browser = self.browser(who)
        answer = browser.post(request.endpoint, data=request.parameters) if post else browser.get(request.url)
        return self.follow(browser, answer, who, allow=allow)

    def launch(self, client_id: str, who: Somebody) -> Landing:
        browser = self.browser(who)
        return self.follow(browser, browser.get(f"{self._target.origin}/account/launch"), who, client_id=client_id)

    def follow(self, browser: httpx.Client, answer: httpx.Response, who: Somebody, *, allow: bool = True, client_id: str = "") -> Landing:
        """From an answer on, page by page."""
        seen: list[httpx.Response] = []
        for _ in range(STEPS_MAX):
            seen.append(answer)
            if answer.is_redirect:
                url = urljoin(str(answer.request.url), answer.headers["location"])
                if not url.startswith(f"{self._target.origin}/"):
                    return Landing(url=url, page=answer, seen=tuple(seen))
                answer = browser.get(url)
                continue
            form = self._form(answer)
            if form is None:
                return Landing(url=None, page=answer, seen=tuple(seen))
            answer = _sent(browser, answer, form, _filled(form, who, allow=allow, client_id=client_id))
        raise AssertionError(f"no end after {STEPS_MAX} pages: {[str(one.request.url.path) for one in seen]}")

    def _form(self, answer: httpx.Response) -> Form | None:
        if answer.status_code != httpx.codes.OK or not answer.headers.get("content-type", "").startswith("text/html"):
            return None
        path = answer.request.url.path
        forms = [form for form in forms_of(answer.text) if form.method == "post" and "sign-out" not in form.action]
        return forms[0] if forms and path.startswith("/account/") else None


def _filled(form: Form, who: Somebody, *, allow: bool, client_id: str) -> dict[str, str]:
    """What this person enters: a name and a password, a code of the second factor, an app, a patient, a decision."""
    known = {"login": who.login, "password": who.password, "patient": who.patient, "client_id": client_id}
    if who.totp is not None:
        known["code"] = totp(who.totp)
    values = {**form.fields}
    values |= {name: value for name, value in known.items() if value and (name in form.fields or value in form.choices.get(name, ()))}
    wanted = ALLOW if allow else DENY
    pressed = next((one for one in form.buttons if one[1] == wanted), next((one for one in form.buttons), ("", "")))
    return {**values, **({pressed[0]: pressed[1]} if pressed[0] else {})}


def _sent(browser: httpx.Client, answer: httpx.Response, form: Form, values: dict[str, str]) -> httpx.Response:
    return browser.post(urljoin(str(answer.request.url), form.action), data=values)


def totp(secret: str, at_s: float | None = None) -> str:
    """RFC 6238: six digits, thirty seconds, SHA-1; what an authenticator shows."""
    step = struct.pack(">Q", int((time.time() if at_s is None else at_s) // 30))
    mac = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), step, "sha1")
    at = mac[-1] & 0x0F
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
