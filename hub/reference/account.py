"""Pages for people who sign in, as rows."""

from collections.abc import Mapping

from hub.console.words import Said
from hub.reference.described import Described


def _page(en: str, fr: str, *, query: tuple[str, ...] = ("lang",), refused: tuple[int, ...] = (503,)) -> Described:
    """Without a session it leads to the sign-in."""
    return Described(title=Said(en, fr), query=query, done={200: "page", 303: "none"}, refused=refused)


def _form(en: str, fr: str, *, refused: tuple[int, ...] = (400, 403, 413, 503)) -> Described:
    return Described(title=Said(en, fr), done={200: "page", 303: "none"}, refused=refused)


ACCOUNT: Mapping[str, Described] = {
    "account": _page("One’s own account", "Son compte"),
    "account-authorize": _page(
        "What an app asks for, and whether one allows it",
        "Ce qu’une application demande, et si on l’autorise",
        query=("request", "lang"),
        refused=(403, 404, 503),
    ),
    "account-authorize-form": _form(
        "Allow it, a part of it, or not", "L’autoriser, en partie, ou non", refused=(400, 403, 404, 409, 413, 503)
    ),
    "account-device": _page("The code that a device shows", "Le code qu’un appareil affiche", query=("lang",)),
    "account-device-form": _form(
        "See what a device asks for, and allow it or not",
        "Voir ce qu’un appareil demande, et l’autoriser ou non",
        refused=(400, 403, 404, 413, 429, 503),
    ),
    "account-launch": _page(
        "Apps that are started with a patient", "Les applications lancées sur un patient", query=("app", "lang"), refused=(403, 404, 503)
    ),
    "account-launch-form": _form("Start an app with a patient", "Lancer une application sur un patient", refused=(400, 403, 404, 413, 503)),
    "account-apps": _page("What one lets apps do", "Ce qu’on laisse faire aux applications", query=("lang", "done")),
    "account-app": _page("What one lets one app do", "Ce qu’on laisse faire à une application", refused=(404, 503)),
    "account-app-withdraw": _form(
        "End what an app may do", "Mettre fin à ce que peut une application", refused=(400, 403, 404, 409, 413, 503)
    ),
}
