"""What the page about readings to confirm says, as rows: key -> English, French."""

from collections.abc import Mapping

from hub.console.words import Said

CONFIRM_WORDS: Mapping[str, Said] = {
    "confirm": Said("Whose reading is it?", "À qui est cette mesure ?"),
    "confirm-lede": Said(
        "Readings of units that several people use, where the unit does not say who measured. What was measured is not on this page.",
        "Des mesures d’objets partagés, quand l’objet ne dit pas qui s’est mesuré. Les valeurs ne sont pas sur cette page.",
    ),
    "confirm-none": Said("Nothing waits to be confirmed.", "Rien n’attend d’être confirmé."),
    "confirm-reading": Said("Reading", "Mesure"),
    "confirm-unit": Said("Unit", "Objet"),
    "confirm-user": Said("Its user", "Son utilisateur"),
    "confirm-guest": Said("one it does not know", "un inconnu"),
    "confirm-unsaid": Said("not said", "non indiqué"),
    "confirm-index": Said("user", "utilisateur"),
    "confirm-received": Said("Received", "Reçue"),
    "confirm-whose": Said("It is of", "Elle est de"),
    "confirm-nobody": Said("Nobody of them", "Aucun d’eux"),
    "confirm-more": Said(
        "There are more than this page shows; hub device confirm list --json lists more. Not shown:",
        "Il y en a plus que cette page n’en montre ; hub device confirm list --json en liste davantage. Non montrées :",
    ),
    "confirm-done-assigned": Said("It is stored for this patient.", "Elle est enregistrée pour ce patient."),
    "confirm-done-rejected": Said("Nobody is asked about it any more.", "Elle ne sera plus proposée."),
    "confirm-done-kept": Said(
        "It could not be stored for this patient, and goes on waiting.",
        "Elle n’a pas pu être enregistrée pour ce patient et reste en attente.",
    ),
    "confirm-done-gone": Said("It does not wait any more: somebody was first.", "Elle n’attend plus : quelqu’un l’a déjà traitée."),
}
