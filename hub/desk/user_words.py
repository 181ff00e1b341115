"""What the pages about accounts and about signing keys say, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

USER_WORDS: Mapping[str, Said] = {
    "users": Said("People", "Personnes"),
    "users-lede": Said(
        "Who may sign in: invite, look at, end, open again.", "Qui peut se connecter : inviter, consulter, mettre fin, rouvrir."
    ),
    "users-sought": Said("Name or login", "Nom ou identifiant"),
    "users-seek": Said("Search", "Rechercher"),
    "users-none": Said("Nobody is called so.", "Personne ne porte ce nom."),
    "users-more": Said("Not shown; search for a part of the name:", "Non affichées ; cherchez une partie du nom :"),
    "user": Said("Person", "Personne"),
    "user-new": Said("Invite somebody", "Inviter quelqu’un"),
    "user-new-lede": Said(
        "You get a link that is good once, for 72 hours; with it the person chooses a password.",
        "Vous recevez un lien valable une fois, pendant 72 heures ; avec lui la personne choisit un mot de passe.",
    ),
    "user-name": Said("Name, as pages greet the person", "Nom, tel que les pages saluent la personne"),
    "user-login": Said("Login, for instance an address", "Identifiant, par exemple une adresse"),
    "user-role": Said("Role", "Rôle"),
    "user-is": Said("Patient/… or Practitioner/… (a practitioner may be left empty)", "Patient/… ou Practitioner/… (peut rester vide)"),
    "user-organization": Said(
        "Organization/… in whose name (not for patients)", "Organization/… au nom de laquelle (pas pour les patients)"
    ),
    "user-rpps": Said("RPPS number (practitioners; may be empty)", "Numéro RPPS (professionnels ; peut rester vide)"),
    "user-fhir": Said("Is", "Est"),
    "user-in-name": Said("In the name of", "Au nom de"),
    "user-state": Said("State", "État"),
    "user-factor": Said("Second factor", "Second facteur"),
    "user-since": Said("Since", "Depuis"),
    "user-locked": Said("Locked after wrong tries", "Bloqué après des essais erronés"),
    "user-failures": Said("Wrong tries since the last good one", "Essais erronés depuis le dernier réussi"),
    "user-sessions": Said("Open sessions", "Sessions ouvertes"),
    "user-apps": Said("Apps that may act", "Applications autorisées"),
    "yes": Said("yes", "oui"),
    "no": Said("no", "non"),
    "role-patient": Said("patient", "patient"),
    "role-practitioner": Said("practitioner", "professionnel de santé"),
    "role-compliance": Said("compliance officer", "responsable de la conformité"),
    "role-administrator": Said("administrator", "administrateur"),
    "role-vendor": Said("vendor", "fabricant"),
    "standing-active": Said("active", "actif"),
    "standing-invited": Said("invited", "invité"),
    "standing-disabled": Said("ended", "fermé"),
    "standing-locked": Said("locked", "bloqué"),
    "back-to-users": Said("All people", "Toutes les personnes"),
    "do-add": Said("Invite", "Inviter"),
    "do-invite": Said("Make another invitation", "Créer une autre invitation"),
    "do-reset": Said("Reset password and second factor", "Réinitialiser mot de passe et second facteur"),
    "do-disable": Said("End the account", "Fermer le compte"),
    "do-enable": Said("Open the account again", "Rouvrir le compte"),
    "sure-reset": Said(
        "Password, second factor and recovery codes are gone; sessions and what apps may do are over. A new link is shown once.",
        "Mot de passe, second facteur et codes de secours disparaissent ; les sessions et les autorisations d’applications se terminent. "
        "Un nouveau lien est montré une fois.",
    ),
    "sure-disable": Said(
        "Sessions, and what this person let apps do, are over with the next request. The account can be opened again; they cannot.",
        "Les sessions, et ce que cette personne a permis à des applications, se terminent à la prochaine requête. "
        "Le compte peut être rouvert ; elles non.",
    ),
    "invitation": Said("The link", "Le lien"),
    "invitation-once": Said(
        "Shown this once, good once and for 72 hours. Give it to the person by a way that nobody else reads.",
        "Montré cette seule fois, valable une fois et pendant 72 heures. Transmettez-le par une voie que personne d’autre ne lit.",
    ),
    "told-disable": Said("The account is ended.", "Le compte est fermé."),
    "told-enable": Said("The account is open again.", "Le compte est rouvert."),
}

KEY_WORDS: Mapping[str, Said] = {
    "keys": Said("Keys that sign", "Clés de signature"),
    "keys-lede": Said(
        "With which keys tokens are signed, and until when the others verify.",
        "Avec quelles clés les jetons sont signés, et jusqu’à quand les autres vérifient.",
    ),
    "key": Said("Key", "Clé"),
    "key-for": Said("For", "Pour"),
    "key-state": Said("State", "État"),
    "key-signs": Said("Signs from", "Signe à partir de"),
    "key-until": Said("Verifies until", "Vérifie jusqu’à"),
    "key-open": Said("its successor signs", "la signature de la suivante"),
    "for-ES256": Said("access tokens", "jetons d’accès"),
    "for-RS256": Said("id_tokens", "id_tokens"),
    "key-announced": Said("announced", "annoncée"),
    "key-signing": Said("signs", "signe"),
    "key-verifying": Said("verifies", "vérifie"),
    "key-gone": Said("gone", "disparue"),
    "do-rotate-keys": Said("Announce new keys", "Annoncer de nouvelles clés"),
    "sure-rotate-keys": Said(
        "New keys are announced now and sign in an hour, when everybody can know them; the old ones verify until their tokens "
        "have expired. A key that somebody else may have is withdrawn with hub keys withdraw.",
        "De nouvelles clés sont annoncées maintenant et signent dans une heure, quand chacun peut les connaître ; les anciennes vérifient "
        "jusqu’à l’expiration de leurs jetons. Une clé que quelqu’un d’autre pourrait détenir se retire avec hub keys withdraw.",
    ),
    "told-rotate": Said("New keys are announced.", "De nouvelles clés sont annoncées."),
}
