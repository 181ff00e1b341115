"""What the pages of the console have in common, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

DESK_WORDS: Mapping[str, Said] = {
    "console": Said("Console", "Console"),
    "console-lede": Said(
        "For those who run this hub. What you open and do here is recorded under your name.",
        "Pour celles et ceux qui exploitent ce hub. Ce que vous ouvrez et faites ici est tracé à votre nom.",
    ),
    "signed-in": Said("Signed in as", "Connecté en tant que"),
    "sign-out": Said("Sign out", "Se déconnecter"),
    "sign-in": Said("Sign in", "Se connecter"),
    "sign-in-lede": Said("The console opens with a link that is good once.", "La console s’ouvre avec un lien valable une seule fois."),
    "sign-in-how": Said(
        "Have a link printed on the machine where the hub runs; it is good for five minutes:",
        "Faites afficher un lien sur la machine du hub ; il est valable cinq minutes :",
    ),
    "sign-in-as": Said("This link was made for", "Ce lien a été créé pour"),
    "sign-in-why": Said("Reason given", "Motif indiqué"),
    "sign-in-hour": Said("The session ends after an hour.", "La session se termine au bout d’une heure."),
    "sign-in-over": Said(
        "This link is not good, or not any more: it is good once, for five minutes. Have another one printed.",
        "Ce lien n’est pas valable, ou ne l'est plus : il sert une seule fois, pendant cinq minutes. Faites-en afficher un autre.",
    ),
    "signed-out": Said("You are signed out.", "Vous êtes déconnecté."),
    "open-console": Said("Open the console", "Ouvrir la console"),
    "back": Said("Back to the console", "Retour à la console"),
    "not-done": Said("That was not done", "L’opération n’a pas été effectuée"),
    "desk-promise": Said(
        "These pages load nothing from elsewhere. Their one cookie is the session; it ends after an hour.",
        "Ces pages ne chargent rien d’ailleurs. Leur seul cookie est celui de la session ; elle se termine au bout d’une heure.",
    ),
    "no-pages": Said("There are no pages yet.", "Il n’y a pas encore de pages."),
}
