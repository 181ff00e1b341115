"""Words that invented people and places are made of. Family names and towns are made up; the hub knows nobody of them."""

GIVEN_FEMALE = (
    "Adèle", "Alix", "Aurore", "Bérénice", "Blanche", "Cécile", "Clémence", "Coralie", "Diane", "Élise", "Flore", "Garance",
    "Inès", "Jeanne", "Léonie", "Louison", "Maëlle", "Margaux", "Noémie", "Odette", "Rosalie", "Solène", "Violette", "Yseult",
)  # fmt: skip
GIVEN_MALE = (
    "Achille", "Anatole", "Aurélien", "Basile", "Côme", "Damien", "Édouard", "Félix", "Gaspard", "Gustave", "Hippolyte", "Isidore",
    "Jules", "Léandre", "Loïc", "Marius", "Maxence", "Octave", "Parfait", "Quentin", "Rémi", "Sacha", "Théophile", "Ulysse",
)  # fmt: skip
FAMILY = (
    "Aubeloise", "Barcelongue", "Beaucornet", "Boisfaraud", "Brisemiche-Dumont", "Chantegrelet", "Clairefougère", "Courtebrume",
    "D'Alombière", "De Vauxmoreau", "Écorcevent", "Fauvernelle", "Folleverdure", "Grandpluvier", "Haultebise", "Jolifontenay",
    "L'Hermitois", "Longuemarne", "Maisonrousse", "Malepierre", "Montrevelin", "Noirépine", "Ormeselle", "Passelourdin",
    "Perdrigeonne", "Quatresauges", "Rivecourbe", "Rochemaurin", "Saint-Aubriac", "Sauvegrain", "Taillevache", "Tournebisque",
    "Trousseverdier", "Valdécume", "Verteprune", "Videgousset",
)  # fmt: skip
STREETS = ("rue des Tilleuls-Bleus", "impasse du Puits-Vert", "allée des Trois-Hérons", "quai aux Moulins", "place du Vieux-Noyer")
TOWNS = ("Bourg-l'Invention", "Sainte-Exemple", "Démonville-sur-Onde", "Fictery-le-Haut", "Montessai")
