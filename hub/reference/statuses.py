"""What a refusal means, as rows: status -> why, in both languages. https://hl7.org/fhir/R4/http.html#Status-Codes"""

from collections.abc import Mapping

from hub.console.words import Said

REFUSED: Mapping[int, Said] = {
    400: Said(
        "Not understood: a parameter, a value, a body. The text says which.",
        "Incompris : un paramètre, une valeur, un corps. Le texte dit lequel.",
    ),
    401: Said("No valid token, or a client that was ended.", "Pas de jeton valable, ou un client arrêté."),
    403: Said(
        "The scopes of the token do not cover this, or the question would cost too much.",
        "Les scopes du jeton ne couvrent pas cela, ou la question coûterait trop.",
    ),
    404: Said(
        "There is no such thing for you: absent and hidden are answered alike.",
        "Rien de tel pour vous : absent et caché reçoivent la même réponse.",
    ),
    405: Said("The path does not offer this method; see Allow.", "Ce chemin n’offre pas cette méthode ; voir Allow."),
    406: Said("The hub does not write this format.", "Le hub n’écrit pas ce format."),
    409: Said("Somebody else was first; read again and repeat.", "Quelqu’un a été plus rapide ; relisez et recommencez."),
    410: Said("Deleted; the history tells what it was.", "Supprimé ; l’historique dit ce que c’était."),
    412: Said(
        "The version is not the one you named, or your condition finds several.",
        "La version n’est pas celle que vous nommez, ou votre condition en trouve plusieurs.",
    ),
    413: Said("The body is too long.", "Le corps est trop long."),
    414: Said("The address is too long; search by POST.", "L’adresse est trop longue ; cherchez par POST."),
    415: Said("The hub does not read this format.", "Le hub ne lit pas ce format."),
    422: Said("Against the rules of FHIR, of a profile or of the hub.", "Contraire aux règles de FHIR, d’un profil ou du hub."),
    429: Said("Too many requests; see Retry-After.", "Trop de requêtes ; voir Retry-After."),
    431: Said("The headers are too long.", "Les en-têtes sont trop longs."),
    500: Said("The hub failed; X-Request-Id helps to find out why.", "Le hub a échoué ; X-Request-Id aide à trouver pourquoi."),
    503: Said("Not now, and nothing was done; see Retry-After.", "Pas maintenant, et rien n’a été fait ; voir Retry-After."),
}
