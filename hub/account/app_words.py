"""What the pages about apps say, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

APP_WORDS: Mapping[str, Said] = {
    "home-lede": Said(
        "What you let apps do here, and how you sign in.", "Ce que vous laissez faire aux applications ici, et comment vous vous connectez."
    ),
    "apps": Said("Apps that you let in", "Applications que vous avez autorisées"),
    "apps-lede": Said(
        "Each of them acts in your name. What you withdraw ends at once, everywhere.",
        "Chacune agit en votre nom. Ce que vous retirez s’arrête aussitôt, partout.",
    ),
    "apps-why": Said("See what they may do, and withdraw it.", "Voir ce qu’elles peuvent faire, et le retirer."),
    "apps-none": Said("You have let no app in.", "Vous n’avez autorisé aucune application."),
    "apps-now": Said("May act now", "Peuvent agir maintenant"),
    "apps-over": Said("Over", "Terminées"),
    "apps-over-why": Said("Shown for a month after their end.", "Montrées pendant un mois après leur fin."),
    "launch": Said("Start an app for a patient", "Lancer une application pour un patient"),
    "launch-why": Said(
        "Choose an app and a patient; the app opens with the patient.",
        "Choisissez une application et un patient ; elle s’ouvre sur ce patient.",
    ),
    "device": Said("Connect a device with a code", "Connecter un appareil avec un code"),
    "device-why": Said("Type the code that the device shows.", "Saisissez le code que l’appareil affiche."),
    "security": Said("Password and sign-in", "Mot de passe et connexion"),
    "security-why": Said("Password, second factor, where you are signed in.", "Mot de passe, second facteur, où vous êtes connecté."),
    "app": Said("App", "Application"),
    "app-gone": Said("An app that is not registered any more", "Une application qui n’est plus enregistrée"),
    "app-client": Said("Registered as", "Enregistrée sous"),
    "app-since": Said("Since", "Depuis"),
    "app-until": Said("At the latest until", "Au plus tard jusqu’au"),
    "app-used": Said("Last used on", "Utilisée pour la dernière fois le"),
    "app-present": Said("only while you are signed in", "seulement tant que vous êtes connecté"),
    "app-away": Said("also when you are not here", "aussi quand vous n’êtes pas là"),
    "app-ended": Said("Withdrawn", "Retirée le"),
    "app-expired": Said("Ran out", "Arrivée à son terme le"),
    "about-you": Said("About you", "À votre sujet"),
    "about-patient": Said("About one patient", "Au sujet d’un patient"),
    "about-hidden": Said(
        "About a patient whose data you cannot see now", "Au sujet d’un patient dont vous ne pouvez pas voir les données maintenant"
    ),
    "about-identity": Said("Who you are, and no data", "Qui vous êtes, et aucune donnée"),
    "about-many": Said("About everybody whose data you may see", "Au sujet de tous ceux dont vous pouvez voir les données"),
    "about-named": Said("About {name}", "Au sujet de {name}"),
    "app-open": Said("What it may do", "Ce qu’elle peut faire"),
    "app-might": Said("What it was allowed to do", "Ce qui lui était permis"),
    "app-also": Said("It may also", "Elle peut aussi"),
    "withdraw": Said("Withdraw", "Retirer"),
    "withdraw-ask": Said("Withdraw what this app may do?", "Retirer l’autorisation de cette application ?"),
    "withdraw-why": Said(
        "It ends at once, wherever the app runs. What the app has read until now stays with the app: ask whoever makes it to delete it.",
        "Elle s’arrête aussitôt, partout où l’application fonctionne. Ce que l’application a lu jusqu’ici reste chez elle : demandez à son "
        "éditeur de le supprimer.",
    ),
    "withdrawn": Said(
        "Withdrawn. The app can do nothing any more in your name.", "C’est retiré. L’application ne peut plus rien faire en votre nom."
    ),
    "to-apps": Said("Back to the apps", "Retour aux applications"),
    "technical": Said("In technical words", "En termes techniques"),
    "purpose": Said("For", "Pour"),
}

PURPOSES: Mapping[str, Said] = {
    "PATRQT": Said("your own use", "votre propre usage"),
    "TREAT": Said("care", "les soins"),
    "HCOMPL": Said("compliance", "la conformité"),
    "HSYSADMIN": Said("administration of the system", "l’administration du système"),
    "HOPERAT": Said("operations", "le fonctionnement du service"),
    "HRESCH": Said("research", "la recherche"),
    "HTEST": Said("tests", "des tests"),
    "ETREAT": Said("an emergency", "une urgence"),
    "HPAYMT": Said("payment", "la facturation"),
}
"""By code of http://terminology.hl7.org/CodeSystem/v3-ActReason; another one is shown as its code."""
