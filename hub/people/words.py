"""What the pages for people have in common, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

PEOPLE_WORDS: Mapping[str, Said] = {
    "account": Said("Your account", "Votre compte"),
    "signed-in": Said("Signed in as", "Connecté en tant que"),
    "sign-out": Said("Sign out", "Se déconnecter"),
    "sign-in": Said("Sign in", "Se connecter"),
    "back": Said("Back to your account", "Retour à votre compte"),
    "not-done": Said("That was not done", "L’opération n’a pas été effectuée"),
    "promise": Said(
        "These pages load nothing from elsewhere. Their cookies are those of your session and of its forms; they end after an hour.",
        "Ces pages ne chargent rien d’ailleurs. Leurs cookies sont ceux de votre session et de ses formulaires ; ils expirent au "
        "bout d’une heure.",
    ),
}
