"""What the pages about clients say, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

CLIENT_WORDS: Mapping[str, Said] = {
    "clients": Said("Applications", "Applications"),
    "clients-lede": Said(
        "Who may ask this hub for data: register, look at, approve, narrow, end.",
        "Qui peut demander des données à ce hub : enregistrer, consulter, approuver, restreindre, mettre fin.",
    ),
    "clients-sought": Said("Name or client_id", "Nom ou client_id"),
    "clients-seek": Said("Search", "Rechercher"),
    "clients-none": Said("No application is called so.", "Aucune application ne porte ce nom."),
    "clients-more": Said("Not shown; search for a part of the name:", "Non affichées ; cherchez une partie du nom :"),
    "clients-waiting": Said("Waiting to be approved", "En attente d’approbation"),
    "clients-nobody-waits": Said("No application waits.", "Aucune application n’attend."),
    "clients-registered": Said("Registered", "Enregistrées"),
    "client": Said("Application", "Application"),
    "client-new": Said("Register an app", "Enregistrer une application"),
    "client-new-lede": Said(
        "An app through which people act: they sign in, see what it asks for, and say yes or no. "
        "Backends are registered with hub client add.",
        "Une application par laquelle des personnes agissent : elles se connectent, voient ce qu’elle demande et disent oui ou non. "
        "Les systèmes sans utilisateur s’enregistrent avec hub client add.",
    ),
    "client-name": Said("Name, as people will see it", "Nom, tel que les personnes le verront"),
    "client-scope": Said("Scopes, separated by a space", "Scopes, séparés par une espace"),
    "client-redirects": Said("Redirect URIs, one a line", "URI de redirection, une par ligne"),
    "client-launch": Said("Launch URL (may be empty)", "URL de lancement (peut rester vide)"),
    "client-policy": Said("Privacy policy, https (may be empty)", "Politique de confidentialité, https (peut rester vide)"),
    "client-method": Said("How it proves itself", "Comment elle se prouve"),
    "client-grant-device": Said("Also for devices without a browser", "Aussi pour les appareils sans navigateur"),
    "client-bound": Said("Its tokens are bound to a key of its own (DPoP)", "Ses jetons sont liés à une clé qui lui appartient (DPoP)"),
    "client-state": Said("State", "État"),
    "client-scopes": Said("Scopes", "Scopes"),
    "client-acts": Said("By", "Par"),
    "client-organization": Said("Organisation", "Organisation"),
    "client-purpose": Said("Purpose of use", "Finalité"),
    "client-created": Said("Registered on", "Enregistrée le"),
    "client-used": Said("Last token on", "Dernier jeton le"),
    "client-until": Said("Forgotten on", "Oubliée le"),
    "client-led-back": Said("Redirect URIs", "URI de redirection"),
    "client-origins": Said("Pages that may call", "Pages qui peuvent appeler"),
    "client-contact": Said("Contact", "Contact"),
    "client-keys": Said("Keys", "Clés"),
    "client-binding": Said("Tokens bound to", "Jetons liés à"),
    "state-active": Said("active", "active"),
    "state-revoked": Said("revoked", "révoquée"),
    "state-waiting": Said("waits", "en attente"),
    "method-none": Said("PKCE alone: it can keep no secret", "PKCE seul : elle ne peut garder aucun secret"),
    "method-client_secret_basic": Said("a secret", "un secret"),
    "method-private_key_jwt": Said("a key of its own", "une clé qui lui appartient"),
    "method-tls_client_auth": Said("a certificate", "un certificat"),
    "binding-none": Said("nothing", "rien"),
    "binding-dpop": Said("a DPoP key", "une clé DPoP"),
    "binding-mtls": Said("its certificate", "son certificat"),
    "grant-authorization_code": Said("people, in a browser", "des personnes, dans un navigateur"),
    "grant-refresh_token": Said("refreshing", "renouvellement"),
    "grant-client_credentials": Said("itself", "elle-même"),
    "grant-urn:ietf:params:oauth:grant-type:device_code": Said("people, at a device", "des personnes, sur un appareil"),
    "back-to-clients": Said("All applications", "Toutes les applications"),
    "do-register": Said("Register", "Enregistrer"),
    "do-approve": Said("Approve with these scopes", "Approuver avec ces scopes"),
    "do-narrow": Said("Narrow to these scopes", "Restreindre à ces scopes"),
    "do-refuse": Said("Refuse", "Refuser"),
    "do-revoke": Said("Revoke", "Révoquer"),
    "do-rotate": Said("Give another secret", "Donner un autre secret"),
    "do-token-rotate": Said("Give another registration access token", "Donner un autre jeton d’enregistrement"),
    "do-token-end": Said("End the registration access token", "Mettre fin au jeton d’enregistrement"),
    "narrow-hint": Said(
        "Only fewer scopes than now can be given here. Access tokens given before go on for at most five minutes.",
        "Seuls moins de scopes que maintenant peuvent être donnés ici. Les jetons déjà donnés durent encore cinq minutes au plus.",
    ),
    "approve-hint": Said(
        "It registered itself: the name and the addresses are its own words. Nothing of it works before you approve it.",
        "Elle s’est enregistrée elle-même : le nom et les adresses sont ses propres mots. Rien ne fonctionne avant votre approbation.",
    ),
    "sure-refuse": Said(
        "It is forgotten as if it had never asked. It can register itself again.",
        "Elle est oubliée comme si elle n’avait rien demandé. Elle peut s’enregistrer de nouveau.",
    ),
    "sure-revoke": Said(
        "From the next request on nothing of it works any more, on any process. This cannot be undone.",
        "Dès la prochaine requête, plus rien d’elle ne fonctionne, sur aucun processus. C’est définitif.",
    ),
    "sure-rotate": Said(
        "The secret that it has now is good no more from then on. The new one is shown once.",
        "Le secret actuel n’est plus valable dès cet instant. Le nouveau n’est montré qu’une fois.",
    ),
    "sure-token-rotate": Said(
        "The token by which it looks after its registration is good no more from then on. The new one is shown once. Nothing else changes.",
        "Le jeton par lequel elle gère son enregistrement n’est plus valable dès cet instant. Le nouveau n’est montré qu’une fois. "
        "Rien d’autre ne change.",
    ),
    "sure-token-end": Said(
        "It changes and ends its registration by itself no more; whoever runs the hub can still give it another token, by command. "
        "Nothing else changes.",
        "Elle ne peut plus modifier ni terminer son enregistrement elle-même ; l’exploitant du hub peut encore lui donner un autre jeton, "
        "par commande. "
        "Rien d’autre ne change.",
    ),
    "token": Said("The registration access token", "Le jeton d’enregistrement"),
    "secret": Said("The secret", "Le secret"),
    "secret-once": Said(
        "Shown this once, and kept nowhere: give it to the app’s maker by a way that nobody else reads.",
        "Montré cette seule fois, et conservé nulle part : transmettez-le au fabricant par une voie que personne d’autre ne lit.",
    ),
    "told-approve": Said("Approved.", "Approuvée."),
    "told-refuse": Said("Refused and forgotten.", "Refusée et oubliée."),
    "told-narrow": Said("Narrowed.", "Restreinte."),
    "told-revoke": Said("Revoked.", "Révoquée."),
    "told-token-end": Said("The token is ended.", "Le jeton est terminé."),
    "told-register": Said("Registered.", "Enregistrée."),
}
