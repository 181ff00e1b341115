"""What there is to say about each interaction, as rows: a sentence, where the specification has it, what goes in, what comes out.

https://hl7.org/fhir/R4/http.html. A route whose interaction has no row here is described by its name alone.
"""

from collections.abc import Mapping

from hub.console.words import Said
from hub.reference.account import ACCOUNT
from hub.reference.described import CALLER, INPUT, Answer, Described

READ = ("If-None-Match", "If-Modified-Since")
WRITTEN: Mapping[int, Answer] = {200: "resource", 201: "resource"}
HISTORY = ("_count", "_since", "_at", "_page")
CONFLICT = (409, 412)
CONFIGURATION = "https://www.rfc-editor.org/rfc/rfc7592#section-2"


def _desk_page(english: str, french: str, *query: str) -> Described:
    """A page of the console; without a session it leads to the sign-in."""
    return Described(title=Said(english, french), query=query or ("lang",), done={200: "page", 303: "none"}, refused=(404, 409, 503))


def _desk_form(english: str, french: str) -> Described:
    return Described(title=Said(english, french), done={200: "page", 303: "none"}, refused=(400, 403, 404, 409, 413, 503))


DESCRIBED: Mapping[str, Described] = {
    "read": Described(
        title=Said("The current version of a resource", "La version actuelle d’une ressource"),
        spec="http.html#read",
        headers=READ,
        query=("_summary", "_elements"),
        done={200: "resource", 304: "none"},
        refused=(400, *CALLER, 410),
    ),
    "vread": Described(
        title=Said("A version of a resource", "Une version d’une ressource"),
        spec="http.html#vread",
        headers=READ,
        query=("_summary", "_elements"),
        done={200: "resource", 304: "none"},
        refused=(400, *CALLER, 410),
    ),
    "create": Described(
        title=Said("A new resource; its id is the hub’s to give", "Une nouvelle ressource ; le hub choisit son id"),
        spec="http.html#create",
        body="resource",
        headers=("If-None-Exist", "Prefer", "X-Provenance"),
        done=WRITTEN,
        refused=(*INPUT, *CALLER, *CONFLICT),
    ),
    "update": Described(
        title=Said("A new version of a resource", "Une nouvelle version d’une ressource"),
        spec="http.html#update",
        body="resource",
        headers=("If-Match", "Prefer", "X-Provenance"),
        done=WRITTEN,
        refused=(*INPUT, *CALLER, *CONFLICT),
    ),
    "conditional-update": Described(
        title=Said(
            "A new version of what matches, or a new resource", "Une nouvelle version de ce qui correspond, ou une nouvelle ressource"
        ),
        spec="http.html#cond-update",
        body="resource",
        headers=("If-Match", "Prefer", "X-Provenance"),
        query=("search",),
        done=WRITTEN,
        refused=(*INPUT, *CALLER, *CONFLICT),
    ),
    "conditional-patch": Described(
        title=Said("A change to what matches", "Une modification de ce qui correspond"),
        spec="http.html#patch",
        body="patch",
        headers=("If-Match", "Prefer", "X-Provenance"),
        query=("search",),
        done={200: "resource"},
        refused=(*INPUT, *CALLER, *CONFLICT, 410),
    ),
    "conditional-delete": Described(
        title=Said("Delete what matches", "Supprimer ce qui correspond"),
        spec="http.html#3.1.0.7.1",
        headers=("If-Match", "Prefer"),
        query=("search",),
        done={200: "outcome", 204: "none"},
        refused=(400, *CALLER, *CONFLICT),
    ),
    "patch": Described(
        title=Said("A change to a resource (JSON Patch, FHIRPath Patch)", "Une modification d’une ressource (JSON Patch, FHIRPath Patch)"),
        spec="http.html#patch",
        body="patch",
        headers=("If-Match", "Prefer", "X-Provenance"),
        done={200: "resource"},
        refused=(*INPUT, *CALLER, *CONFLICT, 410),
    ),
    "delete": Described(
        title=Said("The end of a resource; its history stays", "La fin d’une ressource ; son historique reste"),
        spec="http.html#delete",
        headers=("If-Match", "Prefer", "X-Provenance"),
        done={200: "outcome", 204: "none"},
        refused=(400, *CALLER, *CONFLICT),
    ),
    "search": Described(
        title=Said("What there is of a type, as asked", "Ce qu’il y a d’un type, selon la question"),
        spec="http.html#search",
        body="search",
        headers=("Prefer",),
        query=("search", "_explain"),
        done={200: "bundle"},
        refused=(400, *CALLER, 413, 415),
    ),
    "search-system": Described(
        title=Said("What there is of several types", "Ce qu’il y a de plusieurs types"),
        spec="http.html#search",
        body="search",
        headers=("Prefer",),
        query=("_type", "search"),
        done={200: "bundle"},
        refused=(400, *CALLER, 413, 415),
    ),
    "search-compartment": Described(
        title=Said("What belongs to a patient, a device, a practitioner", "Ce qui appartient à un patient, un appareil, un soignant"),
        spec="compartmentdefinition.html",
        headers=("Prefer",),
        query=("search", "_explain"),
        done={200: "bundle"},
        refused=(400, *CALLER),
    ),
    "history-instance": Described(
        title=Said("Every version of a resource", "Toutes les versions d’une ressource"),
        spec="http.html#history",
        query=HISTORY,
        done={200: "bundle"},
        refused=(400, *CALLER),
    ),
    "history-type": Described(
        title=Said("What was written to a type, newest first", "Ce qui a été écrit dans un type, du plus récent au plus ancien"),
        spec="http.html#history",
        query=HISTORY,
        done={200: "bundle"},
        refused=(400, *CALLER),
    ),
    "history-system": Described(
        title=Said("What was written, newest first", "Ce qui a été écrit, du plus récent au plus ancien"),
        spec="http.html#history",
        query=HISTORY,
        done={200: "bundle"},
        refused=(400, *CALLER),
    ),
    "transaction": Described(
        title=Said("Several interactions: all or nothing, or each by itself", "Plusieurs interactions : tout ou rien, ou chacune pour soi"),
        spec="http.html#transaction",
        body="bundle",
        headers=("Prefer", "X-Provenance"),
        done={200: "bundle"},
        refused=(*INPUT, *CALLER, *CONFLICT, 410),
    ),
    "operation": Described(
        title=Said("An operation", "Une opération"),
        spec="operations.html",
        body="parameters",
        query=("operation",),
        done={200: "resource"},
        refused=(*INPUT, *CALLER, *CONFLICT, 410),
    ),
    "capabilities": Described(
        title=Said("What the hub can do, as CapabilityStatement", "Ce que sait faire le hub, en CapabilityStatement"),
        spec="http.html#capabilities",
        done={200: "statement"},
        refused=(400, 406),
    ),
    "smart-configuration": Described(
        title=Said("Where tokens are had", "Où l’on obtient un jeton"),
        spec="https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html",
        done={200: "configuration"},
        refused=(),
    ),
    "token": Described(
        title=Said("A token for an assertion, a code or a refresh token", "Un jeton contre une assertion, un code, un renouvellement"),
        spec="https://www.rfc-editor.org/rfc/rfc6749#section-3.2",
        body="token",
        done={200: "token"},
        refused=(400, 401, 413, 500, 503),
    ),
    "jwks": Described(
        title=Said("The keys that tokens of this hub are verified by", "Les clés qui vérifient les jetons de ce hub"),
        spec="https://www.rfc-editor.org/rfc/rfc7517#section-5",
        done={200: "configuration"},
        refused=(),
    ),
    "authorize": Described(
        title=Said("An app asks a person for access", "Une application demande un accès à une personne"),
        spec="https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html",
        body="oauth",
        query=("state",),
        done={303: "none", 400: "page", 500: "page", 503: "page"},
        refused=(),
    ),
    "par": Described(
        title=Said("Push the parameters of authorize beforehand", "Déposer d’avance les paramètres de la demande"),
        spec="https://www.rfc-editor.org/rfc/rfc9126",
        body="oauth",
        done={201: "configuration"},
        refused=(400, 401, 500, 503),
    ),
    "introspect": Described(
        title=Said("What a token is worth", "Ce que vaut un jeton"),
        spec="https://www.rfc-editor.org/rfc/rfc7662",
        body="oauth",
        done={200: "configuration"},
        refused=(400, 401, 500, 503),
    ),
    "launch-open": Described(
        title=Said("An EHR opens an app for a practitioner", "Un DPI ouvre une application pour un professionnel"),
        spec="https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch",
        body="oauth",
        done={201: "configuration"},
        refused=(400, 401, 500, 503),
    ),
    "revoke": Described(
        title=Said("Give a token back", "Rendre un jeton"),
        spec="https://www.rfc-editor.org/rfc/rfc7009",
        body="oauth",
        done={200: "none"},
        refused=(400, 401, 500, 503),
    ),
    "userinfo": Described(
        title=Said("Who the person is", "Qui est la personne"),
        spec="https://openid.net/specs/openid-connect-core-1_0.html#UserInfo",
        done={200: "configuration"},
        refused=(400, 401, 403, 500, 503),
    ),
    "openid-configuration": Described(
        title=Said("Where people sign in", "Où les personnes s’identifient"),
        spec="https://openid.net/specs/openid-connect-discovery-1_0.html",
        done={200: "configuration"},
        refused=(),
    ),
    "oauth-authorization-server": Described(
        title=Said("What the authorization server offers", "Ce que propose le serveur d’autorisation"),
        spec="https://www.rfc-editor.org/rfc/rfc8414",
        done={200: "configuration"},
        refused=(),
    ),
    "device-authorization": Described(
        title=Said("A device without a browser asks to be let act", "Un appareil sans navigateur demande à être autorisé"),
        spec="https://www.rfc-editor.org/rfc/rfc8628#section-3.1",
        body="oauth",
        done={200: "configuration"},
        refused=(400, 401, 500, 503),
    ),
    "client-register": Described(
        title=Said("An app registers itself, and waits", "Une application s’enregistre elle-même, et attend"),
        spec="https://www.rfc-editor.org/rfc/rfc7591#section-3",
        body="registration",
        done={201: "registration"},
        refused=(400, 401, 403, 413, 415, 429, 500, 503),
    ),
    "client-configuration": Described(
        title=Said("An app looks at its registration", "Une application regarde son enregistrement"),
        spec=f"{CONFIGURATION}.1",
        done={200: "registration"},
        refused=(401, 500, 503),
    ),
    "client-configuration-change": Described(
        title=Said("An app describes itself anew", "Une application se décrit à nouveau"),
        spec=f"{CONFIGURATION}.2",
        body="registration",
        done={200: "registration"},
        refused=(400, 401, 413, 500, 503),
    ),
    "client-configuration-delete": Described(
        title=Said("An app ends its registration", "Une application met fin à son enregistrement"),
        spec=f"{CONFIGURATION}.3",
        done={204: "none"},
        refused=(401, 500, 503),
    ),
    "credential-enrol": Described(
        title=Said("A unit enrols with its own key and a one-time code", "Un appareil s’inscrit avec sa clé et un code à usage unique"),
        spec="https://www.rfc-editor.org/rfc/rfc7591#section-3",
        body="registration",
        done={201: "registration"},
        refused=(400, 401, 413, 415, 500, 503),
    ),
    "ingest": Described(
        title=Said("Readings as a device’s vendor writes them", "Des mesures, telles que le fabricant les écrit"),
        body="payload",
        headers=("Idempotency-Key",),
        query=("device", "timeZone"),
        done={200: "fates"},
        refused=(*INPUT, *CALLER, 409, 429),
    ),
    "webhook": Described(
        title=Said("A signed call of a vendor’s cloud", "Un appel signé du service d’un fabricant"),
        body="payload",
        query=("hook",),
        done={200: "fates", 204: "none"},
        refused=(400, 401, 403, 413, 415, 429, 500, 503),
    ),
    "webhook-test": Described(
        title=Said("Is there somebody at this address?", "Y a-t-il quelqu’un à cette adresse ?"),
        query=("hook",),
        done={200: "none"},
        refused=(),
    ),
    "quarantine-list": Described(
        title=Said("What of your readings waits to be repaired", "Celles de vos mesures qui attendent une réparation"),
        done={200: "items"},
        refused=(400, *CALLER),
    ),
    "quarantine-counts": Described(
        title=Said("How many wait, by adapter and cause", "Combien attendent, par adaptateur et par cause"),
        done={200: "items"},
        refused=(400, *CALLER),
    ),
    "quarantine-item": Described(
        title=Said("One of them: cause, place, hint", "L’une d’elles : cause, endroit, conseil"),
        done={200: "waiting"},
        refused=(400, *CALLER),
    ),
    "quarantine-replay": Described(
        title=Said("Take up again what waits", "Reprendre ce qui attend"), done={200: "fates"}, refused=(400, *CALLER, 409, 422)
    ),
    "quarantine-discard": Described(
        title=Said("Give up on what waits", "Renoncer à ce qui attend"),
        body="reason",
        done={200: "discarded"},
        refused=(*INPUT, *CALLER, 409),
    ),
    "confirm-list": Described(
        title=Said("Readings of which a person has to say whose they are", "Les mesures dont une personne doit dire à qui elles sont"),
        done={200: "items"},
        refused=(400, *CALLER),
    ),
    "confirm-assign": Described(
        title=Said("It is this patient’s", "Elle est de ce patient"),
        body="assignment",
        done={200: "fate"},
        refused=(*INPUT, *CALLER, 409),
    ),
    "confirm-reject": Described(
        title=Said("It is of none of them", "Elle n’est d’aucun d’eux"), done={204: "none"}, refused=(400, *CALLER, 409)
    ),
    "console": Described(title=Said("The console", "La console"), query=("lang",), done={200: "page", 303: "none"}, refused=(503,)),
    "console-units": Described(
        title=Said("Units of devices, in the console", "Les objets, dans la console"),
        query=("lang", "finding"),
        done={200: "page", 303: "none"},
        refused=(400, 503),
    ),
    "console-clients": _desk_page("Applications, in the console", "Les applications, dans la console", "lang", "sought"),
    "console-client": _desk_page("One application", "Une application"),
    "console-client-new": _desk_page("The form of an app", "Le formulaire d’une application"),
    "console-client-ask": _desk_page("Is it meant?", "Est-ce voulu ?"),
    "console-client-register": _desk_form("Register an app by the form", "Enregistrer une application par le formulaire"),
    "console-client-act": _desk_form(
        "Approve, refuse, narrow, revoke, give another secret", "Approuver, refuser, restreindre, révoquer, donner un autre secret"
    ),
    "console-users": _desk_page("People, in the console", "Les personnes, dans la console", "lang", "sought"),
    "console-user": _desk_page("One person", "Une personne"),
    "console-user-new": _desk_page("The form of an invitation", "Le formulaire d’une invitation"),
    "console-user-ask": _desk_page("Is it meant?", "Est-ce voulu ?"),
    "console-user-add": _desk_form("Invite somebody by the form", "Inviter quelqu’un par le formulaire"),
    "console-user-act": _desk_form("Invite again, reset, end, open again", "Réinviter, réinitialiser, fermer, rouvrir"),
    "console-keys": _desk_page("Keys that sign, in the console", "Les clés de signature, dans la console"),
    "console-keys-ask": _desk_page("Is it meant?", "Est-ce voulu ?"),
    "console-keys-rotate": _desk_form("Announce new keys", "Annoncer de nouvelles clés"),
    "console-confirm": Described(
        title=Said("Readings to confirm, in the console", "Les mesures à confirmer, dans la console"),
        query=("lang",),
        done={200: "page", 303: "none"},
        refused=(503,),
    ),
    "console-confirm-assign": Described(
        title=Said("It is this patient’s, by a form of the console", "Elle est de ce patient, par un formulaire de la console"),
        done={303: "none"},
        refused=(400, 403, 413, 503),
    ),
    "console-confirm-reject": Described(
        title=Said("It is of none of them, by a form of the console", "Elle n’est d’aucun d’eux, par un formulaire de la console"),
        done={303: "none"},
        refused=(400, 403, 413, 503),
    ),
    "console-quarantine": Described(
        title=Said("What waits, and why", "Ce qui attend, et pourquoi"),
        query=("lang",),
        done={200: "page", 303: "none"},
        refused=(400, 503),
    ),
    "console-quarantine-act": Described(
        title=Said("Let in again, or give up", "Reprendre, ou renoncer"), done={200: "page", 303: "none"}, refused=(400, 403, 409, 413, 503)
    ),
    "console-sign-in-page": Described(
        title=Said("The way into the console", "L’entrée de la console"), query=("lang",), done={200: "page"}, refused=(403, 503)
    ),
    "console-sign-in": Described(
        title=Said("Begin a session of the console", "Ouvrir une session de la console"), done={303: "none"}, refused=(400, 403, 413, 503)
    ),
    "console-sign-out": Described(
        title=Said("End the session of the console", "Fermer la session de la console"), done={200: "page", 303: "none"}, refused=(403, 503)
    ),
    "sign-in-page": Described(
        title=Said("The form to sign in", "Le formulaire de connexion"), query=("next", "lang"), done={200: "page"}, refused=(503,)
    ),
    "sign-in": Described(
        title=Said("Sign in with login and password", "Se connecter par identifiant et mot de passe"),
        done={303: "none"},
        refused=(400, 403, 413, 503),
    ),
    "second-factor-page": Described(
        title=Said("The form for the second factor", "Le formulaire du second facteur"),
        query=("lang",),
        done={200: "page", 303: "none"},
        refused=(503,),
    ),
    "second-factor": Described(
        title=Said("Give the second factor, or set it up", "Donner le second facteur, ou le mettre en place"),
        done={200: "page", 303: "none"},
        refused=(400, 403, 413, 503),
    ),
    "invitation-page": Described(
        title=Said("Where an invitation leads", "Où mène une invitation"), query=("code", "lang"), done={200: "page"}, refused=(403, 503)
    ),
    "invitation": Described(
        title=Said("Choose the password of a new account", "Choisir le mot de passe d’un nouveau compte"),
        done={303: "none"},
        refused=(400, 401, 403, 413, 503),
    ),
    "federated": Described(
        title=Said("Begin to sign in with another provider", "Commencer à se connecter par un autre fournisseur"),
        done={303: "none"},
        refused=(400, 403, 404, 413, 503),
    ),
    "federated-back": Described(
        title=Said("Where another provider leads the person back to", "Où un autre fournisseur ramène la personne"),
        query=("code", "state", "iss", "error", "lang"),
        done={303: "none"},
        refused=(401, 403, 404, 503),
    ),
    "account-security": Described(
        title=Said("One’s own security: password, second factor, sessions", "Sa propre sécurité : mot de passe, second facteur, sessions"),
        query=("done", "lang"),
        done={200: "page", 303: "none"},
        refused=(503,),
    ),
    "account-security-change": Described(
        title=Said("Change password or second factor, end sessions", "Changer mot de passe ou second facteur, fermer des sessions"),
        done={200: "page", 303: "none"},
        refused=(400, 403, 409, 413, 503),
    ),
    "sign-out": Described(title=Said("End one’s session", "Fermer sa session"), done={303: "none"}, refused=(403, 503)),
    "cloud-link-page": Described(
        title=Said("What a link to a vendor’s cloud will fetch", "Ce que récupérera un lien vers le service d’un fabricant"),
        query=("invitation", "lang"),
        done={200: "page"},
        refused=(404, 503),
    ),
    "cloud-link": Described(
        title=Said("Begin to link an account", "Commencer à relier un compte"), done={200: "page"}, refused=(403, 404, 503)
    ),
    "cloud-callback": Described(
        title=Said("Where a vendor leads the patient back to", "Où le fabricant ramène le patient"),
        query=("state", "lang"),
        done={200: "page"},
        refused=(403, 404, 503),
    ),
    "brands": Described(
        title=Said("Whose hub this is, for apps that people choose it in", "À qui est ce hub, pour les applications où on le choisit"),
        spec="https://hl7.org/fhir/smart-app-launch/STU2.2/brands.html",
        headers=("If-None-Match",),
        done={200: "bundle", 304: "none"},
        refused=(),
    ),
    "welcome": Described(title=Said("The first page", "La première page"), done={200: "page"}, refused=()),
    "docs": Described(title=Said("These pages", "Ces pages"), query=("lang",), done={200: "page"}, refused=()),
    "docs-type": Described(
        title=Said("The page of a resource type", "La page d’un type de ressource"), query=("lang",), done={200: "page"}, refused=(404,)
    ),
    "openapi": Described(title=Said("The API as OpenAPI 3.1", "L’API en OpenAPI 3.1"), done={200: "openapi"}, refused=()),
    "livez": Described(title=Said("Is the process alive?", "Le processus vit-il ?"), done={200: "text"}, refused=()),
    "readyz": Described(
        title=Said("Could a write be made durable now?", "Une écriture serait-elle durable maintenant ?"),
        done={200: "text", 503: "text"},
        refused=(),
    ),
    **ACCOUNT,
}


def described(interaction: str) -> Described:
    """The row, or what can be said of any interaction: its name, and that everything may come."""
    plain = Described(title=Said(interaction, interaction), done={200: "resource"}, refused=(*INPUT, *CALLER, *CONFLICT, 410))
    return DESCRIBED.get(interaction, plain)
