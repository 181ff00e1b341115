"""What the first page says, as rows: key -> English, French. One row says the same thing twice."""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, get_args

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Final[Language] = "en"
LANGUAGE_NAMES: Mapping[Language, str] = {"en": "English", "fr": "Français"}

QUALITY_MAX: Final = 1.0
_BEFORE_SIGN: Final = re.compile(" (?=[:;?!»])")


class Said(NamedTuple):
    en: str
    fr: str


WORDS: Mapping[str, Said] = {
    "title": Said("HDS hub", "Hub HDS"),
    "headline": Said("A FHIR hub for connected health devices", "Un hub FHIR pour les objets de santé connectés"),
    "skip": Said("Skip to the content", "Aller au contenu"),
    "languages": Said("Language", "Langue"),
    "lede": Said(
        "Data is sealed for each patient, shown only as the patient decides, and every access is on record.",
        "Les données sont scellées pour chaque patient, montrées seulement selon sa décision, et chaque accès est tracé.",
    ),
    "ready": Said("Ready", "Prêt"),
    "not-ready": Said("Not ready: the database does not answer", "Indisponible : la base de données ne répond pas"),
    "now": Said("What runs here", "Ce qui tourne ici"),
    "state": Said("State", "État"),
    "version": Said("Version", "Version"),
    "fhir": Said("FHIR version", "Version de FHIR"),
    "base": Said("FHIR base", "Base FHIR"),
    "adapters": Said("Adapters installed", "Adaptateurs installés"),
    "no-adapters": Said("none", "aucun"),
    "start": Said("From nothing to a first search", "De zéro à une première recherche"),
    "start-why": Said(
        "Run these in the checkout, on the machine of the hub; add --data-dir if the hub was started with one. There are no passwords: an "
        "application proves itself with a key that never leaves it.",
        "À lancer dans le dossier du projet, sur la machine du hub ; ajoutez --data-dir si le hub a été lancé avec. Il n’y a pas de mot "
        "de passe : une application se prouve par une clé qui ne la quitte jamais.",
    ),
    "step-client": Said(
        "Register an application. Note the client_id that is printed.", "Enregistrez une application. Notez le client_id affiché."
    ),
    "step-token": Said("Get a token. It lives for five minutes.", "Demandez un jeton. Il vit cinq minutes."),
    "step-search": Said(
        "Search. What patients have not permitted is not in the answer.",
        "Cherchez. Ce que les patients n’ont pas permis n’est pas dans la réponse.",
    ),
    "step-audit": Said("Look at what the log says about it.", "Regardez ce qu’en dit le journal."),
    "my-app": Said("my application", "mon application"),
    "empty": Said(
        "An empty hub finds nothing. Invented patients with 30 days of readings come with:",
        "Un hub vide ne trouve rien. Des patients inventés, avec 30 jours de mesures, s’ajoutent par :",
    ),
    "go": Said("Where to go", "Où aller"),
    "go-docs": Said("The API for people, with commands to try", "L’API expliquée, avec des commandes à essayer"),
    "go-metadata": Said("Types, interactions and search parameters", "Types, interactions et paramètres de recherche"),
    "go-smart": Said("How applications authenticate (SMART)", "Comment les applications s’authentifient (SMART)"),
    "go-ready": Said("Probe: could a write be made durable now?", "Sonde : une écriture serait-elle durable maintenant ?"),
    "who": Said("Three kinds of users", "Trois sortes d’utilisateurs"),
    "ehr": Said("Health record systems", "Logiciels de dossiers patients"),
    "ehr-does": Said("read and write FHIR with a SMART token.", "lisent et écrivent en FHIR avec un jeton SMART."),
    "vendor": Said("Device vendors", "Fabricants d’objets"),
    "vendor-does": Said(
        "send payloads as they are; each item is answered with its fate.",
        "envoient leurs données telles quelles ; chaque élément reçoit sa réponse.",
    ),
    "compliance": Said("Compliance officers", "Responsables de la conformité"),
    "compliance-does": Said(
        "ask who saw what, why, and whether they were allowed to.", "demandent qui a vu quoi, pourquoi, et si c’était permis."
    ),
    "documents": Said("Documents, in the checkout", "Documents, dans le dossier du projet"),
    "doc-first": Said("First steps", "Premiers pas"),
    "doc-consent": Said("What a consent does here", "Ce que fait ici un consentement"),
    "doc-search": Said("What can be searched, and how", "Ce qui se cherche, et comment"),
    "doc-settings": Said("Every setting", "Tous les réglages"),
    "promise": Said(
        "This page shows nothing about patients, sets no cookie and loads nothing from elsewhere.",
        "Cette page ne montre rien sur les patients, ne dépose aucun cookie et ne charge rien d’ailleurs.",
    ),
}


def said(language: Language, words: Mapping[str, Said] = WORDS) -> Mapping[str, str]:
    """The words of one language."""
    return {key: in_language(language, both) for key, both in words.items()}


def in_language(language: Language, both: Said) -> str:
    """French keeps these signs on the line of the word before them."""
    return _BEFORE_SIGN.sub("\u00a0", getattr(both, language))


def language_of(asked: str | None, accept_language: str) -> Language:
    """What the link asked for; else what the reader's browser prefers; else English.

    https://www.rfc-editor.org/rfc/rfc9110#name-accept-language. A quality that cannot be read counts as none.
    """
    for language in LANGUAGES:
        if asked == language:
            return language
    ranges = [_range(part) for part in accept_language.split(",")]
    wanted = {language: _quality(language, ranges) for language in LANGUAGES}
    best = max(LANGUAGES, key=lambda language: (wanted[language], language == DEFAULT))
    return best if wanted[best] > 0 else DEFAULT


def _range(part: str) -> tuple[str, float]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.strip().partition("=")
    try:
        quality = float(value) if name.strip().lower() == "q" else (0.0 if parameter.strip() else QUALITY_MAX)
    except ValueError:
        quality = 0.0
    return tag.strip().lower(), quality if 0 <= quality <= QUALITY_MAX else 0.0


def _quality(language: Language, ranges: list[tuple[str, float]]) -> float:
    """Of the ranges that name the language, else of the wildcard (RFC 4647 section 3.3.1)."""
    named = [quality for tag, quality in ranges if tag.partition("-")[0] == language]
    return max(named or [quality for tag, quality in ranges if tag == "*"], default=0.0)
