"""What pages about apps show of an authorization and of a client: values ready for a template, in one language."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hub.account.app_words import APP_WORDS, PURPOSES
from hub.account.scope_lines import Line, Section, sections, words
from hub.console.words import Language, in_language
from security.oauth.authorization import Authorization
from security.oauth.clients import Client
from security.oauth.scope_request import ScopeRequest

MONTHS_FR: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
MONTHS_EN: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One authorization, for its person.

    name       of the app, or that it is gone
    since, until, ended  moments in words; `since_iso`, … for machines
    used       the day on which it got a token last, in words; empty: that is not known
    over       None while it holds; otherwise the key of the word for why it does not
    about      in words: whom it concerns
    away       it goes on without the person
    """

    id: str
    name: str
    client_id: str
    since: str
    since_iso: str
    until: str
    until_iso: str
    used: str
    used_iso: str
    over: str | None
    away: bool
    about: str
    purpose: str
    sections: tuple[Section, ...]
    words: tuple[Line, ...]
    scope: str


def shown(authorization: Authorization, client: Client | None, language: Language, now_us: int, about: str) -> Shown:
    """`about`: key of APP_WORDS, or a name as the patient has it."""
    asked, purpose = ScopeRequest.parse(authorization.scope), PURPOSES.get(authorization.purpose)
    end_us = authorization.ended_us or authorization.expires_us
    over = None if authorization.holds(now_us) else "app-ended" if authorization.ended_us is not None else "app-expired"
    return Shown(
        id=authorization.id,
        name=client.name if client is not None else in_language(language, APP_WORDS["app-gone"]),
        client_id=authorization.client_id,
        since=moment(authorization.created_us, language),
        since_iso=iso(authorization.created_us),
        until=moment(end_us, language),
        until_iso=iso(end_us),
        used=day(authorization.used_us, language) if authorization.used_us is not None else "",
        used_iso=iso(authorization.used_us)[:10] if authorization.used_us is not None else "",
        over=over,
        away=authorization.offline,
        about=said_about(about, language),
        purpose=in_language(language, purpose) if purpose else authorization.purpose,
        sections=sections(asked, authorization.person.role, language),
        words=words(asked, language),
        scope=authorization.scope,
    )


def said_about(about: str, language: Language) -> str:
    """`about`: a key of APP_WORDS, or a name."""
    if about in APP_WORDS:
        return in_language(language, APP_WORDS[about])
    return in_language(language, APP_WORDS["about-named"]).format(name=about)


def about_of(authorization: Authorization) -> str:
    """Whom it concerns, without looking anything up: a key of APP_WORDS."""
    person, patient = authorization.person, authorization.launch.patient
    resources = ScopeRequest.parse(authorization.scope).resources.items
    if patient is None and not resources:
        return "about-identity"
    if person.role == "patient":
        return "about-you"
    reaches_many = any(scope.level == "user" for scope in resources)
    return "about-patient" if patient is not None and not reaches_many else "about-many"


def moment(us: int, language: Language) -> str:
    """A day and a minute as people write them; the hub speaks UTC, and says so."""
    at = datetime.fromtimestamp(us // 1_000_000, UTC)
    return f"{day(us, language)}{' à' if language == 'fr' else ','} {at:%H:%M} UTC"


def day(us: int, language: Language) -> str:
    """As people write it."""
    at = datetime.fromtimestamp(us // 1_000_000, UTC)
    if language == "fr":
        return f"{'1er' if at.day == 1 else at.day} {MONTHS_FR[at.month - 1]} {at.year}"
    return f"{at.day} {MONTHS_EN[at.month - 1]} {at.year}"


def iso(us: int) -> str:
    return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
