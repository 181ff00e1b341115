"""What the page of a signed report says, in English and French: a row each, and the French of each rule."""

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "fr"]

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Signed report of the conformance kit", "Rapport signé du kit de conformité"),
    "other": ("En français", "In English"),
    "adapter": ("Adapter", "Adaptateur"),
    "product": ("Product", "Produit"),
    "manufacturer": ("Manufacturer", "Fabricant"),
    "version": ("Version", "Version"),
    "code": ("SHA-256 of its code", "SHA-256 de son code"),
    "kit": ("Version of the kit", "Version du kit"),
    "made": ("Made", "Établi le"),
    "evidence": ("Held against", "Confronté à"),
    "key": ("Signed by the key", "Signé par la clé"),
    "level": ("Level", "Niveau"),
    "level-none": ("none", "aucun"),
    "level-bronze": ("bronze", "bronze"),
    "level-silver": ("silver", "argent"),
    "level-gold": ("gold", "or"),
    "asks": ("What the levels ask for", "Ce que demandent les niveaux"),
    "asks-bronze": (
        "Bronze: no rule of bronze fails: units and zones are true, names stay inside, no payload makes it fail.",
        "Bronze : aucune règle de bronze n’échoue : unités et fuseaux sont vrais, les noms restent, aucun contenu ne le fait échouer.",
    ),
    "asks-silver": (
        "Silver: every rule up to silver passes, has no subject in the format, or is exempt for a reason given below.",
        "Argent : chaque règle jusqu’à l’argent passe, est sans objet, ou est dispensée pour une raison donnée plus bas.",
    ),
    "asks-gold": (
        "Gold: every rule passes or has no subject; nothing is exempt or unproven, and a source from outside was compared with.",
        "Or : chaque règle passe ou est sans objet ; rien n’est dispensé ni sans preuve, et une source extérieure a servi à comparer.",
    ),
    "results": ("Rules and results", "Règles et résultats"),
    "rule": ("Rule", "Règle"),
    "result": ("Result", "Résultat"),
    "why": ("What was found, or why", "Ce qui a été trouvé, ou pourquoi"),
    "pass": ("passes", "passe"),
    "fail": ("fails", "échoue"),
    "exempt": ("exempt", "dispensée"),
    "not-applicable": ("no subject", "sans objet"),
    "unproven": ("unproven", "sans preuve"),
    "fixtures": ("Payloads it was examined with", "Contenus examinés"),
    "says": (
        "This report says that these rules gave these results on this code. It is no statement about the medical use of a product.",
        "Ce rapport dit que ces règles ont donné ces résultats sur ce code. Il ne dit rien de l’usage médical d’un produit.",
    ),
    "public-sample": ("a payload that others published", "un contenu publié par d’autres"),
    "vendor-documentation": ("the vendor’s documentation", "la documentation du fabricant"),
    "synthetic": ("only what its makers wrote", "seulement ce qu’ont écrit ses auteurs"),
}

RULES_FR: Final[Mapping[str, str]] = {
    "manifest-complete": "Le manifeste donne nom, version SemVer, produit et identifiant",
    "manifest-measures": "Ce que déclare le manifeste est au catalogue",
    "manifest-true": "Ce qui sort des exemples est déclaré",
    "manifest-measures-shown": "Chaque mesure déclarée figure dans un exemple",
    "manifest-evidence": "Le décodage a été confronté à une source extérieure",
    "fixture-there": "Il y a un contenu tel que l’envoie le fabricant",
    "fixture-decodes": "Chaque exemple donne des mesures",
    "item-sound": "Chaque élément respecte le contrat",
    "item-pointer": "Chaque élément dit où il se trouvait",
    "item-raw-alone": "Les octets d’un élément, lus seuls, le redonnent",
    "item-same-again": "Les mêmes octets donnent les mêmes éléments",
    "fixture-expected": "Les valeurs sont celles qu’une personne a notées",
    "fhir-golden": "Le FHIR est celui qui a été relu",
    "fhir-built": "Le hub construit du FHIR de chaque mesure",
    "fhir-valid": "Il est valide : R4, signes vitaux et profils annoncés",
    "terminology-measure": "Mesures et composantes sont au catalogue",
    "terminology-unit": "Chaque unité, et chaque code, va avec sa mesure",
    "terminology-range": "Chaque valeur est possible pour sa mesure et son unité",
    "terminology-words": "Indicateurs et circonstances sont des mots du hub",
    "precision-kept": "116.0 reste 116.0",
    "time-zone-proven": "Aucun fuseau horaire n’est inventé",
    "time-zone-needed": "Les heures locales sont déclarées",
    "time-leap-day": "Le 29 février est lui-même, ou aucun jour",
    "time-extremes": "L’an 0, 1970 et l’avenir ne sont pas remplacés",
    "time-repeated-hour": "Personne ne choisit dans l’heure qui revient deux fois",
    "time-drift": "Une horloge décalée de dix minutes est transmise telle quelle",
    "special-absent": "NaN, LO, HI, -- et autres ne deviennent pas des nombres",
    "special-answered": "Un enregistrement avec une telle valeur ne disparaît pas",
    "order-reversed": "Le plus récent d’abord donne la même chose",
    "order-permuted": "Tout ordre donne les mêmes mesures",
    "order-repeated": "Des enregistrements répétés sont les mêmes mesures",
    "order-split": "Aucun découpage ne donne d’autres mesures",
    "order-corrected": "Une autre valeur est la même mesure, corrigée",
    "volume": "100 000 éléments ou 10 Mo sont lus en une minute et 512 Mio",
    "hostile-utf8": "Des octets qui ne sont pas de l’UTF-8 ne font aucun mal",
    "hostile-entities": "Aucune entité n’est développée ni cherchée",
    "hostile-depth": "Une imbrication profonde ne fait aucun mal",
    "hostile-gzip": "Une bombe gzip n’explose pas",
    "hostile-odd": "Octets étranges, nombres sans fin et chemins pour noms ne font aucun mal",
    "hostile-cut": "Un contenu tronqué est refusé, ou lu en partie",
    "hostile-damaged": "Un contenu abîmé ne fait jamais échouer l’adaptateur",
    "privacy-names": "Les noms d’un contenu restent hors des éléments, des conseils et du FHIR",
    "privacy-silent": "Rien n’est affiché ni journalisé",
    "privacy-refusal": "Un refus ne répète rien du contenu",
    "unknown-reported": "Les mots inconnus sont signalés, non perdus",
    "unknown-members": "Un champ ajouté l’an prochain ne fait aucun mal",
    "simulator-true": "Ce qu’écrit le simulateur du produit est ce qui est lu",
}


def said(language: Language) -> Mapping[str, str]:
    return {key: both[language == "fr"] for key, both in WORDS.items()}


def rule_text(language: Language, id: str, english: str) -> str:
    """A rule of a report that another version of the kit made may have no French here."""
    return RULES_FR.get(id, english) if language == "fr" else english
