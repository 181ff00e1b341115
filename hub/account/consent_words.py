"""What the pages say on which a person lets an app in, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

CONSENT_WORDS: Mapping[str, Said] = {
    "ask": Said("{app} asks for access", "{app} demande un accès"),
    "ask-lede": Said(
        "Read what it wants. Nothing is given until you say yes, and you can refuse single things.",
        "Lisez ce qu’elle demande. Rien n’est donné avant votre accord, et vous pouvez refuser des points un à un.",
    ),
    "ask-identity": Said(
        "It wants to know who you are, and nothing else. Nothing is given until you say yes.",
        "Elle veut savoir qui vous êtes, et rien d’autre. Rien n’est donné avant votre accord.",
    ),
    "not-me": Said("This is not me: sign in as somebody else", "Ce n’est pas moi : se connecter autrement"),
    "who-asks": Said("Who asks", "Qui demande"),
    "maker": Said("How to reach its maker", "Joindre son éditeur"),
    "site": Said("Its site", "Son site"),
    "policy": Said("What it does with data", "Ce qu’elle fait des données"),
    "unsaid": Said("It does not say", "Elle ne le dit pas"),
    "answer-to": Said("The answer goes to", "La réponse part vers"),
    "checked": Said("Known here", "Connue ici"),
    "checked-yes": Said(
        "Yes: the administrator of this hub registered or approved it. What it does with your data is its maker’s to answer for.",
        "Oui : l’administrateur de ce hub l’a enregistrée ou approuvée. Ce qu’elle fait de vos données relève de son éditeur.",
    ),
    "patient": Said("Patient", "Patient"),
    "born": Said("born", "né(e) le"),
    "other-patient": Said("Choose another patient", "Choisir un autre patient"),
    "wants": Said("What it may do if you allow it", "Ce qu’elle pourra faire si vous l’autorisez"),
    "untick": Said("Untick what you do not want to give.", "Décochez ce que vous ne voulez pas donner."),
    "also": Said("It may also", "Elle pourra aussi"),
    "left-out": Said(
        "It asks for more than you may give in your role; that is left out here.",
        "Elle demande plus que votre rôle ne permet de donner ; cela n’apparaît pas ici.",
    ),
    "until": Said("Until when", "Jusqu’à quand"),
    "until-away": Said(
        "If it may go on when you are not here: until {until} at the latest. Otherwise for a few minutes only.",
        "Si elle peut continuer quand vous n’êtes pas là : jusqu’au {until} au plus tard. Sinon quelques minutes seulement.",
    ),
    "until-present": Said(
        "Only while you are signed in, until {until} at the latest.",
        "Seulement tant que vous êtes connecté, jusqu’au {until} au plus tard.",
    ),
    "until-brief": Said("For a few minutes only.", "Quelques minutes seulement."),
    "then": Said("What happens then", "Et ensuite"),
    "then-why": Said(
        "You go back to the app. It reads and writes in your name, within what you ticked; each access is on record.",
        "Vous revenez à l’application. Elle lit et écrit en votre nom, dans ce que vous avez coché ; chaque accès est tracé.",
    ),
    "then-identity": Said(
        "You go back to the app. It knows then that it is you, and reads and writes nothing here.",
        "Vous revenez à l’application. Elle sait alors que c’est vous, et ne lit ni n’écrit rien ici.",
    ),
    "withdraw-any-time": Said("You can withdraw it at any time, on the page", "Vous pouvez la retirer à tout moment, sur la page"),
    "allow": Said("Allow", "Autoriser"),
    "deny": Said("Do not allow", "Ne pas autoriser"),
    "none-ticked": Said(
        "Nothing is ticked. Tick at least one thing, or do not allow it.", "Rien n’est coché. Cochez au moins un point, ou n’autorisez pas."
    ),
    "refused": Said("You cannot give {app} what it asks for", "Vous ne pouvez pas donner à {app} ce qu’elle demande"),
    "refused-why": Said(
        "Nothing of it is within what your role may give. Nothing was sent to the app yet.",
        "Rien de cela n’entre dans ce que votre rôle permet de donner. Rien n’a encore été envoyé à l’application.",
    ),
    "to-app": Said("Back to the app", "Retour à l’application"),
    "pick": Said("Choose a patient", "Choisir un patient"),
    "pick-lede": Said(
        "{app} is to open with one patient. You find those whose data you may see.",
        "{app} doit s’ouvrir sur un patient. Vous trouvez ceux dont vous pouvez voir les données.",
    ),
    "pick-name": Said("Name, or its beginning", "Nom, ou son début"),
    "pick-birthdate": Said("Birth date", "Date de naissance"),
    "pick-identifier": Said("Identifier", "Identifiant"),
    "pick-search": Said("Search", "Chercher"),
    "pick-found": Said("Patients found", "Patients trouvés"),
    "pick-none": Said("No patient is found whose data you may see.", "Aucun patient n’est trouvé dont vous puissiez voir les données."),
    "pick-nothing": Said("Type a name, a birth date or an identifier.", "Saisissez un nom, une date de naissance ou un identifiant."),
    "pick-date": Said("Write the birth date as 1980-12-31.", "Écrivez la date de naissance comme 1980-12-31."),
    "pick-unreadable": Said("That cannot be searched; search again.", "Cette recherche n’est pas possible ; recommencez."),
    "pick-hidden": Said(
        "You cannot see this patient’s data now. Choose another one.",
        "Vous ne pouvez pas voir les données de ce patient maintenant. Choisissez-en un autre.",
    ),
    "pick-choose": Said("Choose", "Choisir"),
    "pick-previous": Said("Previous page", "Page précédente"),
    "pick-next": Said("Next page", "Page suivante"),
    "launch-app": Said("Which app", "Quelle application"),
    "launch-none": Said("No app is registered that can be started from here.", "Aucune application enregistrée ne peut être lancée d’ici."),
    "launch-start": Said("Start {app}", "Lancer {app}"),
    "launch-own": Said("It opens with your own record.", "Elle s’ouvre sur votre dossier."),
    "launch-others": Said("Another app", "Une autre application"),
    "code": Said("Code", "Code affiché"),
    "code-warning": Said(
        "Type only a code that you see on your own device now. Whoever sends you one by message, mail or telephone is after your data.",
        "Ne saisissez qu’un code que vous voyez maintenant sur votre propre appareil. Qui vous en envoie un par message, courriel ou "
        "téléphone en veut à vos données.",
    ),
    "code-next": Said("Go on", "Continuer"),
    "code-wrong": Said(
        "This code is not known, or not any more. Look at the device and type it again.",
        "Ce code est inconnu, ou ne l’est plus. Regardez l’appareil et saisissez-le à nouveau.",
    ),
    "code-allowed": Said(
        "Allowed. The device goes on by itself in a moment.", "Autorisé. L’appareil continue de lui-même dans un instant."
    ),
    "code-denied": Said("Not allowed. The device gets nothing.", "Refusé. L’appareil n’obtient rien."),
    "code-shows": Said(
        "Allow it only if your own device shows this code now:", "N’autorisez que si votre appareil affiche ce code maintenant :"
    ),
    "code-then": Said(
        "The device goes on by itself, in your name, within what you ticked; each access is on record.",
        "L’appareil continue de lui-même, en votre nom, dans ce que vous avez coché ; chaque accès est tracé.",
    ),
    "visit": Said("Which visit is it about?", "De quelle consultation s’agit-il ?"),
    "visit-lede": Said("The app may open with one of them.", "L’application peut s’ouvrir sur l’une d’elles."),
    "visit-none": Said("None of them", "Aucune d’elles"),
    "visit-undated": Said("without a date", "sans date"),
}


def naming(words: Mapping[str, Said], app: str) -> Mapping[str, Said]:
    """The words with the app's name where it belongs. What the app is called is text, and escaped by the page like any other."""
    return {key: Said(*(text.replace("{app}", app) for text in both)) for key, both in words.items()}
