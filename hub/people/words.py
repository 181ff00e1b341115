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


REFUSALS: Mapping[str, str] = {
    "The hub cannot make this durable right now; nothing was done. Try again.": (
        "Le hub ne peut pas l’enregistrer durablement en ce moment ; rien n’a été fait. Réessayez."
    ),
    "The hub failed; nothing was disclosed. The request id helps to find out why.": (
        "Le hub a échoué ; rien n’a été divulgué. Le numéro de la requête aide à comprendre pourquoi."
    ),
    "The resource is being changed by others; read it again and repeat.": "D’autres le modifient en ce moment ; relisez et recommencez.",
    "This form does not come from a page of your session; open the page again and send it from there.": (
        "Ce formulaire ne vient pas d’une page de votre session ; rouvrez la page et envoyez-le de là."
    ),
    "The form asks for something that this page does not do.": "Le formulaire demande quelque chose que cette page ne fait pas.",
    "You have let in no such app, or its end is more than a month ago.": (
        "Vous n’avez pas autorisé cette application, ou sa fin date de plus d’un mois."
    ),
    "This request was opened by another account. Go back to the app and begin there again.": (
        "Cette demande a été ouverte par un autre compte. Retournez à l’application et recommencez."
    ),
    "Open the page of this request first; its form alone does nothing.": (
        "Ouvrez d’abord la page de cette demande ; son formulaire seul ne fait rien."
    ),
    "Your role starts no apps with a patient.": "Votre rôle ne lance pas d’application sur un patient.",
    "This app is not registered, or cannot be started from here.": (
        "Cette application n’est pas enregistrée, ou ne peut pas être lancée d’ici."
    ),
    "This request is over, or it was answered already. Go back to the app and begin there again.": (
        "Cette demande est terminée, ou elle a déjà reçu une réponse. Retournez à l’application et recommencez."
    ),
    "This launch was begun by somebody else who is signed in; begin it again from your own account.": (
        "Ce lancement a été commencé par quelqu’un d’autre ; recommencez depuis votre propre compte."
    ),
    "The app asks that you sign in once more; go back to the app and begin there again.": (
        "L’application demande une nouvelle connexion ; retournez-y et recommencez."
    ),
    "No device waits with this code. Look at it again: it is good for ten minutes, and once.": (
        "Aucun appareil n’attend avec ce code. Regardez-le à nouveau : il est valable dix minutes, et une fois."
    ),
    "Too many sign-ins were begun from where you are; wait for some minutes, and try again.": (
        "Trop de connexions ont été commencées d’où vous êtes ; attendez quelques minutes, puis réessayez."
    ),
    "The other service does not answer as it should; try again later, or sign in with a password.": (
        "L’autre service ne répond pas comme il le devrait ; réessayez plus tard, ou connectez-vous par mot de passe."
    ),
    "This sign-in was not begun in this browser, or is over; begin again.": (
        "Cette connexion n’a pas été commencée dans ce navigateur, ou elle est terminée ; recommencez."
    ),
    "Choose whose data the app is to see.": "Choisissez de qui l’application doit voir les données.",
    "An app sees your own record only.": "Une application ne voit que votre propre dossier.",
    "More was chosen than the app asked for, or than you may give.": (
        "Plus de choses ont été choisies que l’application n’en demande, ou que vous ne pouvez en donner."
    ),
    "The app that sent you here is not known, or wants the answer at an address that was not registered for it. Nothing was sent there.": (
        "L’application qui vous a envoyé ici est inconnue, ou veut la réponse à une adresse qui n’est pas enregistrée pour elle. Rien n’y "
        "a été envoyé."
    ),
}
"""Why a page does not do what was asked, as the hub says it in English, in French; a test holds them to the texts that are raised."""


def in_french(text: str) -> str:
    """What has no words of its own stays as it is."""
    return REFUSALS.get(text, text)
