"""What the ways in and the page of one's own security say, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said
from security.people.password_rules import Fault

ENTRY_WORDS: Mapping[str, Said] = {
    "sign-in-lede": Said(
        "With the account that you were invited to. Whoever you are, what you open here is recorded under your name.",
        "Avec le compte auquel vous avez été invité. Qui que vous soyez, ce que vous ouvrez ici est tracé à votre nom.",
    ),
    "login": Said("Login", "Identifiant"),
    "password": Said("Password", "Mot de passe"),
    "not-right": Said(
        "Login or password is not right, or it was tried too often. Look at both again, or wait for a while.",
        "L’identifiant ou le mot de passe est incorrect, ou il y a eu trop d’essais. Vérifiez-les, ou attendez un moment.",
    ),
    "code-not-right": Said(
        "This code is not right, or was used already, or it was tried too often. Try the next one, or wait for a while.",
        "Ce code est incorrect, déjà utilisé, ou il y a eu trop d’essais. Essayez le suivant, ou attendez un moment.",
    ),
    "elsewhere": Said("Or with", "Ou avec"),
    "elsewhere-not": Said(
        "The other service proved nobody who has an account here. Sign in with a password, or ask whoever runs this hub.",
        "L’autre service n’a prouvé personne qui ait un compte ici. Connectez-vous par mot de passe, ou demandez aux responsables du hub.",
    ),
    "lost": Said(
        "Password or phone lost? Whoever runs this hub gives you a new link.",
        "Mot de passe ou téléphone perdu ? Les responsables de ce hub vous donnent un nouveau lien.",
    ),
    "signed-out": Said("You are signed out.", "Vous êtes déconnecté."),
    "second": Said("Second factor", "Second facteur"),
    "second-lede": Said(
        "The six digits that your authenticator app shows now, or one of your recovery codes.",
        "Les six chiffres que votre application d’authentification affiche maintenant, ou l’un de vos codes de secours.",
    ),
    "code": Said("Code", "Code"),
    "go-on": Said("Continue", "Continuer"),
    "other-account": Said("Sign in with another account", "Se connecter avec un autre compte"),
    "enrol": Said("Set up your second factor", "Mettre en place votre second facteur"),
    "enrol-why": Said(
        "Whoever can see data of others proves it is them in two ways: with the password, and with an app on their phone.",
        "Toute personne qui peut voir les données d’autrui se prouve de deux façons : par le mot de passe, et par une application de son "
        "téléphone.",
    ),
    "enrol-own-why": Said(
        "From then on you are asked for a code of an app on your phone too: your password alone opens nothing any more.",
        "Dès lors, un code d’une application de votre téléphone vous sera aussi demandé : le mot de passe seul n’ouvrira plus rien.",
    ),
    "enrol-scan": Said(
        "Scan this picture with an authenticator app, any that knows “TOTP”:",
        "Scannez cette image avec une application d’authentification, n’importe laquelle qui connaît « TOTP » :",
    ),
    "enrol-picture": Said("QR code for an authenticator app", "Code QR pour une application d’authentification"),
    "enrol-key": Said("Or type this key into it:", "Ou tapez-y cette clé :"),
    "enrol-code": Said("The six digits that the app shows", "Les six chiffres que l’application affiche"),
    "enrol-wrong": Said(
        "The app shows another code by now, or the clock of your phone is wrong. Type the one that it shows now.",
        "L’application affiche un autre code à présent, ou l’heure de votre téléphone est fausse. Tapez celui qu’elle affiche maintenant.",
    ),
    "codes": Said("Your recovery codes", "Vos codes de secours"),
    "codes-why": Said(
        "Each opens your account once, with your password, if your phone is lost. Print them or write them down: they are shown now and "
        "never again.",
        "Chacun ouvre votre compte une fois, avec votre mot de passe, si votre téléphone est perdu. Imprimez-les ou notez-les : ils "
        "s’affichent maintenant et plus jamais.",
    ),
    "codes-kept": Said("I have kept them", "Je les ai gardés"),
    "invited": Said("Welcome", "Bienvenue"),
    "invited-lede": Said(
        "Choose the password of your account. This link is good once.",
        "Choisissez le mot de passe de votre compte. Ce lien ne sert qu’une fois.",
    ),
    "invited-over": Said(
        "This link is not good, or not any more. Ask whoever runs this hub for another one.",
        "Ce lien n’est pas valable, ou ne l’est plus. Demandez-en un autre aux responsables de ce hub.",
    ),
    "new-password": Said("New password", "Nouveau mot de passe"),
    "again": Said("The same once more", "Le même une seconde fois"),
    "password-how": Said(
        "Several words in a row are easy to remember and hard to guess. Nothing else is asked of it.",
        "Plusieurs mots à la suite se retiennent bien et se devinent mal. Rien d’autre n’est demandé.",
    ),
    "characters": Said("At least {} characters.", "Au moins {} caractères."),
    "choose": Said("Choose this password", "Choisir ce mot de passe"),
    "not-same": Said("The two are not the same.", "Les deux ne sont pas identiques."),
}

SECURITY_WORDS: Mapping[str, Said] = {
    **ENTRY_WORDS,
    "security": Said("Security of your account", "Sécurité de votre compte"),
    "security-lede": Said(
        "How you prove that it is you, and where you are signed in.", "Comment vous prouvez que c’est vous, et où vous êtes connecté."
    ),
    "present": Said("Your present password", "Votre mot de passe actuel"),
    "present-wrong": Said(
        "Your present password is not right, or it was tried too often. Nothing was changed.",
        "Votre mot de passe actuel est incorrect, ou il y a eu trop d’essais. Rien n’a été modifié.",
    ),
    "change-password": Said("Change the password", "Changer le mot de passe"),
    "password-done": Said(
        "Your password is changed; all other sessions are over.", "Votre mot de passe est changé ; toutes les autres sessions sont fermées."
    ),
    "password-apps-done": Said(
        "Your password is changed; all other sessions are over, and so is what apps were allowed.",
        "Votre mot de passe est changé ; toutes les autres sessions sont fermées, et les autorisations des applications aussi.",
    ),
    "end-apps": Said("End what apps may do, too", "Mettre fin aussi aux autorisations des applications"),
    "end-apps-why": Said(
        "Whoever knew your password may have let an app in, and it would go on. Your own apps ask you again. Your other sessions end "
        "anyway.",
        "Quiconque connaissait votre mot de passe a pu autoriser une application, et elle continuerait. Vos propres applications vous "
        "redemanderont. Vos autres sessions se ferment dans tous les cas.",
    ),
    "since": Said("Chosen on", "Choisi le"),
    "second-on": Said("An authenticator app is set up. Recovery codes left:", "Une application est en place. Codes de secours restants :"),
    "second-off": Said("Only your password protects this account.", "Seul votre mot de passe protège ce compte."),
    "second-set": Said("Set up an app", "Mettre une application en place"),
    "second-replace": Said("Replace the app", "Remplacer l’application"),
    "codes-new": Said("New recovery codes", "Nouveaux codes de secours"),
    "sessions": Said("Where you are signed in", "Où vous êtes connecté"),
    "session-here": Said("this browser", "ce navigateur"),
    "session-unknown": Said("Unknown browser", "Navigateur inconnu"),
    "session-until": Said("until", "jusqu’à"),
    "session-end": Said("End", "Fermer"),
    "session-end-all": Said("End all others", "Fermer toutes les autres"),
    "sessions-done": Said("It is over.", "C’est fermé."),
}

FAULTS: Mapping[Fault, Said] = {
    "short": Said("It is too short: take 12 characters at least.", "Il est trop court : prenez au moins 12 caractères."),
    "short-alone": Said(
        "It is too short: without a second factor take 15 characters at least.",
        "Il est trop court : sans second facteur, prenez au moins 15 caractères.",
    ),
    "long": Said("It is longer than 256 characters.", "Il dépasse 256 caractères."),
    "common": Said(
        "Many people choose this one, and it is what is tried first. Take another.",
        "Beaucoup de gens choisissent celui-ci, et c’est ce qui s’essaie en premier. Prenez-en un autre.",
    ),
    "own-name": Said("It holds your login. Take another.", "Il contient votre identifiant. Prenez-en un autre."),
}
