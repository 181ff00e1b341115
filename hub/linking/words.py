"""What the pages say on which a patient links a vendor's account, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

LINK_WORDS: Mapping[str, Said] = {
    "link-title": Said("Link your account", "Relier votre compte"),
    "link-lede": Said(
        "You decide whether this hub may fetch your readings, and you can end it at any time.",
        "Vous décidez si ce hub peut récupérer vos mesures, et vous pouvez y mettre fin à tout moment.",
    ),
    "link-where": Said("Your account is at", "Votre compte est chez"),
    "link-who": Said("For whom they are fetched", "Pour qui elles sont récupérées"),
    "link-what": Said("What is fetched", "Ce qui est récupéré"),
    "link-since": Said("From when on", "À partir de quand"),
    "link-since-again": Said(
        "If this account was linked here before: from where that ended, without the time in which you did not permit it.",
        "Si ce compte a déjà été relié ici : à partir de là où cela s’est arrêté, sans la période que vous n’avez pas autorisée.",
    ),
    "link-start": Said("Begin", "Commencer"),
    "link-start-why": Said(
        "The next page leads to the maker of your device. You sign in there; this hub never sees your password.",
        "La page suivante mène au fabricant de votre appareil. Vous vous y connectez ; ce hub ne voit jamais votre mot de passe.",
    ),
    "link-go": Said("Continue to", "Continuer vers"),
    "link-go-why": Said(
        "You have a quarter of an hour. Come back with this same browser.",
        "Vous avez un quart d’heure. Revenez avec ce même navigateur.",
    ),
    "link-done": Said("Your account is linked", "Votre compte est relié"),
    "link-done-why": Said(
        "New readings will be fetched from now on. To end it, tell whoever gave you the link, or take the permission away at the maker's.",
        "Les nouvelles mesures seront récupérées désormais. Pour y mettre fin, dites-le à la personne qui vous a donné le lien, ou retirez "
        "l’autorisation chez le fabricant.",
    ),
    "link-not": Said("Not linked", "Non relié"),
    "link-over": Said(
        "This link is not good, or not any more. Ask whoever gave it to you for another one.",
        "Ce lien n’est pas valable, ou ne l’est plus. Demandez-en un autre à la personne qui vous l’a donné.",
    ),
    "link-refused": Said(
        "The maker gave no permission, or you did not give it. Nothing was kept. You may open the link again.",
        "Le fabricant n’a pas donné d’autorisation, ou vous ne l’avez pas donnée. Rien n’a été conservé. Vous pouvez rouvrir le lien.",
    ),
    "link-taken": Said(
        "This account is linked already. Whoever gave you the link can end that; then open it again.",
        "Ce compte est déjà relié. La personne qui vous a donné le lien peut y mettre fin ; rouvrez-le ensuite.",
    ),
    "link-later": Said(
        "This cannot be done at this moment. Open the link again in a minute.",
        "Ce n’est pas possible pour le moment. Rouvrez le lien dans une minute.",
    ),
    "link-promise": Said(
        "What is kept is sealed under your key, and each access is on record.",
        "Ce qui est conservé est scellé sous votre clé, et chaque accès est tracé.",
    ),
    "withings": Said("weight, blood pressure, temperature and other measures", "poids, tension, température et autres mesures"),
    "heart": Said("heart: ECGs and heart rate", "cœur : ECG et fréquence cardiaque"),
    "sleep": Said("nights of sleep", "nuits de sommeil"),
    "dexcom": Said("glucose values of your sensor", "valeurs de glucose de votre capteur"),
    "calibrations": Said("calibrations of your sensor", "calibrations de votre capteur"),
    "events": Said("insulin, carbohydrates and other entries", "insuline, glucides et autres saisies"),
}

VENDORS: Mapping[str, str] = {"withings": "Withings", "dexcom": "Dexcom"}
