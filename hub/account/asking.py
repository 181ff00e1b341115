"""What the pages have in common that stand between a person and an app: their words, what the app asks for, the way on to it."""

from collections.abc import Collection
from typing import Any

from starlette.responses import RedirectResponse, Response

from hub.account.app_words import APP_WORDS
from hub.account.consent_words import CONSENT_WORDS
from hub.account.scope_lines import fields, sections, words
from hub.account.viewing import Patient
from hub.page_guard import SEE_OTHER
from hub.people.visit import Visit
from security.oauth.clients import Client
from security.oauth.scope_request import ScopeRequest

WORDS = {**APP_WORDS, **CONSENT_WORDS}


def gives_nothing(scope: ScopeRequest, asked: ScopeRequest) -> bool:
    """Is there nothing that this person may give? `scope`: what of `asked` is grantable."""
    return not scope.resources.items and bool(asked.resources.items or not scope.context)


def decision(
    visit: Visit,
    client: Client,
    scope: ScopeRequest,
    asked: ScopeRequest,
    *,
    patient: Patient | None,
    until: tuple[str, str],
    fault: str | None,
    ticked: Collection[str] | None,
) -> dict[str, Any]:
    """Values of the page on which a person says yes, no, or yes to a part.

    scope, asked  what may be given, and what was asked for
    until         key of the words, and the moment in them
    ticked        the boxes that were ticked when the form came; None before that: all of them
    """
    return {
        "status": 400 if fault else 200,
        "fault": fault,
        "client": client,
        "patient": patient,
        "sections": sections(scope, visit.signed.account.person.role, visit.language),
        "also": words(scope, visit.language),
        "ticked": fields(scope) if ticked is None else ticked,
        "left_out": scope.resources != asked.resources,
        "until": until,
        "technical": scope.text(),
    }


def to_app(url: str) -> Response:
    """Where the app waits. Nothing of this page's address goes along."""
    return RedirectResponse(url, SEE_OTHER, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
