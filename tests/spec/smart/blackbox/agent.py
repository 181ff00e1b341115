"""Somebody with a browser: brings an authorization request to its end, by the server's pages or by a command that knows them."""

import base64
import hmac
import struct
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin

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
        return self.follow(browser, browser.get(f"{self._target.origin}/account/launch", params={"app": client_id}), who)

    def follow(self, browser: httpx.Client, answer: httpx.Response, who: Somebody, *, allow: bool = True) -> Landing:
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
            act = _next(answer, who, allow=allow)
            if act is None:
                return Landing(url=None, page=answer, seen=tuple(seen))
            answer = browser.post(urljoin(str(answer.request.url), act.form.action), data=act.values)
        raise AssertionError(f"no end after {STEPS_MAX} pages: {[str(one.request.url.path) for one in seen]}")


@dataclass(frozen=True, slots=True)
class _Act:
    """A form and what it is sent with."""

    form: Form
    values: dict[str, str]


def _next(answer: httpx.Response, who: Somebody, *, allow: bool) -> _Act | None:
    """What this person does on a page: decides, chooses a patient, looks for one, signs in; None where there is nothing to do."""
    if answer.status_code != httpx.codes.OK or not answer.headers.get("content-type", "").startswith("text/html"):
        return None
    forms = [form for form in forms_of(answer.text) if form.method == "post"]
    wanted = (("do", ALLOW if allow else DENY), ("encounter", who.encounter), ("patient", who.patient))
    for button in wanted:
        for form in forms:
            if button in form.buttons:
                return _Act(form, {**form.fields, button[0]: button[1]})
    typed = {"name": who.patient_name, "password": who.password, "code": "" if who.totp is None else totp(who.totp)}
    for field, text in typed.items():
        for form in forms:
            if text and field in form.fields:
                beside = {"login": who.login, "again": who.password}  # a login that a form knows already stays
                more = {one: value for one, value in beside.items() if form.fields.get(one) == ""}
                return _Act(form, {**form.fields, **more, field: text, **dict(form.buttons[:1])})
    return None


def totp(secret: str, at_s: float | None = None) -> str:
    """RFC 6238: six digits, thirty seconds, SHA-1; what an authenticator shows."""
    step = struct.pack(">Q", int((time.time() if at_s is None else at_s) // 30))
    mac = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), step, "sha1")
    at = mac[-1] & 0x0F
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
