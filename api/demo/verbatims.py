"""What people write beside their scores, in French and in English, by survey and by mood.

Invented, in the words of the trade. The two languages are not translations of each other: nobody
answers a survey twice.
"""

from __future__ import annotations

HAPPY, LUKEWARM, UNHAPPY = "happy", "lukewarm", "unhappy"

# (survey, mood, language) -> comments. `carrier` is what partners of the bad carrier's region
# write about their relation; `leaving` is the partner in decline.
COMMENTS: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("relation", HAPPY, "fr"): (
        "Une équipe qui connaît notre métier. On se sent épaulés, pas fliqués.",
        "Les points sont clairs, on sait pourquoi on les gagne. Ça change des autres marques.",
        "Notre commerciale passe tous les mois et rappelle quand elle dit qu'elle rappelle.",
        "Livraisons à l'heure depuis un an, je n'ai plus à m'excuser auprès de mes clients.",
        "Le portail est devenu mon réflexe : les fiches sont à jour et faciles à trouver.",
        "La formation mise en service vaut le déplacement, mes deux techniciens en redemandent.",
        "Gamme solide, SAV qui décroche, marges correctes. Rien à redire.",
        "Petit installateur mais traité comme un gros. Je recommande les yeux fermés.",
        "Le geste commercial après la panne de mars a sauvé mon chantier. Merci.",
        "Des produits fiables et un support qui répond le jour même.",
    ),
    ("relation", HAPPY, "en"): (
        "Best technical support of the four brands we carry, by a distance.",
        "They say Thursday and it arrives on Thursday. That is all I ask.",
        "The bonus rules are fair and the statement shows exactly how we got there.",
        "Our rep actually listens: the bracket we asked for was in the next catalogue.",
        "Training is short, practical and my fitters can do it on a phone.",
        "Stock levels in the portal are finally right, it saves us two calls a day.",
        "Good margins, honest people, quiet machines. Our customers come back.",
        "Every claim we raised this year was settled without an argument.",
    ),
    ("relation", LUKEWARM, "fr"): (
        "Bons produits, mais le catalogue change trop souvent de références.",
        "Dans l'ensemble ça va. Les délais s'allongent un peu avant l'hiver.",
        "Le programme est intéressant, encore faut-il avoir le temps de le suivre.",
        "Rien de grave, mais j'aimerais un interlocuteur unique pour les avoirs.",
        "Le portail est pratique sur ordinateur, beaucoup moins depuis le camion.",
        "Correct. Les prix ont pris 8 % en deux ans et ça commence à se voir sur les devis.",
        "Les formations sont bonnes mais toujours à Paris.",
        "On attend la nouvelle gamme murale depuis un moment.",
    ),
    ("relation", LUKEWARM, "en"): (
        "Happy with the product, less so with the paperwork around returns.",
        "Fine overall. Delivery slots are wide and we lose half a morning waiting.",
        "Good range, but the spare parts list is two versions behind.",
        "Works for us. A Dutch version of the data sheets would help.",
        "Solid partner, though the quarterly targets reach us too late to plan.",
        "The portal does the job, search could be smarter.",
        "Prices are moving faster than our quotes are valid.",
    ),
    ("relation", UNHAPPY, "fr"): (
        "Trois relances pour un avoir de 140 euros. Ce n'est pas sérieux.",
        "On apprend les hausses de tarif par nos clients.",
        "Plus personne ne passe nous voir depuis le départ de notre commercial.",
        "Une carte mère en rupture six semaines en plein hiver : mon client est parti ailleurs.",
        "Le portail nous déconnecte sans arrêt, on a fini par tout faire au téléphone.",
        "Le bonus nous est passé sous le nez pour deux lignes et personne n'a su l'expliquer.",
        "Trop de promesses au lancement, peu de suivi ensuite.",
        "La hotline nous renvoie vers le distributeur, le distributeur vers la hotline.",
    ),
    ("relation", UNHAPPY, "en"): (
        "Two invoices with the wrong price list and it was on us to prove it.",
        "We waited four days for an answer while a family had no heating.",
        "Nobody told us the model was discontinued. We had sold five.",
        "Conditions keep changing and always in the same direction.",
        "I stopped reporting problems, nothing comes back.",
        "Your competitor calls me every week. You don't.",
        "Half the order came, the other half was 'on the next truck' for two weeks.",
        "Credit note promised in January, still nothing in March.",
    ),
    ("carrier", UNHAPPY, "fr"): (
        "Depuis le changement de transporteur, plus une livraison n'arrive au jour dit.",
        "Le chauffeur dépose la palette à la mauvaise adresse et repart. Deux fois ce mois-ci.",
        "Vos produits sont bons, mais je ne peux plus promettre une date à mes clients.",
        "Une équipe de trois bloquée une journée parce que le camion n'est jamais venu.",
        "On nous annonce le mardi, ça arrive le vendredi, sans un appel.",
        "Livré avec huit jours de retard, ballon cabossé, et il a fallu remplir trois formulaires.",
        "Le transporteur ne monte plus en vallée l'hiver. Qui a signé ce contrat ?",
        "Je commande en double chez un concurrent pour être sûr d'avoir la marchandise.",
        "Bonus perdu à cause de retards dont nous ne sommes pas responsables.",
        "Remettez l'ancien transporteur, il appelait avant de passer.",
    ),
    ("carrier", LUKEWARM, "fr"): (
        "Bon produit, bonne équipe, mais la logistique dans les Alpes est à revoir.",
        "Je resterais sans hésiter si les livraisons redevenaient fiables.",
        "Le commercial fait ce qu'il peut ; le transporteur, non.",
    ),
    ("leaving", UNHAPPY, "fr"): (
        "Nous avons moins besoin de vous qu'avant, pour être honnête.",
        "Plus de nouvelles de la marque depuis des mois, nous regardons ailleurs.",
        "Mes vendeurs proposent d'abord l'autre marque, c'est plus simple pour eux.",
        "Le programme ne nous concerne plus vraiment.",
    ),
    ("leaving", LUKEWARM, "fr"): (
        "Correct, mais nous avons d'autres fournisseurs désormais.",
        "Le nouveau gérant veut réduire le nombre de marques, rien contre vous.",
    ),
    ("delivery", HAPPY, "fr"): (
        "Chauffeur aimable, hayon, tout posé au sec.",
        "Livré à 8 h 10 comme annoncé, colis impeccables.",
        "Complet et bien étiqueté, le contrôle a pris cinq minutes.",
        "Un SMS la veille, un appel le matin : parfait.",
    ),
    ("delivery", HAPPY, "en"): (
        "On time, complete, pallet wrapped properly.",
        "Driver called ahead and helped us unload. Great.",
        "Everything was there, even the small parts bag.",
    ),
    ("delivery", LUKEWARM, "fr"): (
        "Arrivé dans la journée, mais sans créneau on attend pour rien.",
        "Un carton ouvert, rien ne manquait heureusement.",
        "Correct, mais le bon de livraison était celui d'un autre client.",
    ),
    ("delivery", LUKEWARM, "en"): (
        "Came at the end of the slot, otherwise fine.",
        "All there, though one box had been dropped at some point.",
    ),
    ("delivery", UNHAPPY, "fr"): (
        "Quatre jours de retard et personne pour prévenir.",
        "Il manquait le kit hydraulique, le chantier est à l'arrêt.",
        "Palette laissée sur le trottoir sous la pluie.",
        "Livraison partielle, le reste « la semaine prochaine » depuis trois semaines.",
        "Unité extérieure livrée couchée alors que c'est écrit en rouge dessus.",
    ),
    ("delivery", UNHAPPY, "en"): (
        "Two days late and the wrong model.",
        "Short by six valves, again.",
        "Left with the neighbour, who was not told what it was.",
        "The delivery note said complete. It was not.",
    ),
    ("support", HAPPY, "fr"): (
        "Réponse en vingt minutes, problème réglé au téléphone.",
        "Le technicien savait de quoi il parlait, pas de script à lire.",
        "Pièce partie le jour même, chapeau.",
        "On m'a rappelé pour vérifier que tout marchait. Rare.",
    ),
    ("support", HAPPY, "en"): (
        "Sorted in one call, no ticket ping-pong.",
        "Clear answer with a photo of the right wiring. Brilliant.",
        "Quick, friendly, and they knew the machine.",
        "Got a named person and a direct number. Keep doing that.",
    ),
    ("support", LUKEWARM, "fr"): (
        "Bonne réponse, mais il a fallu réexpliquer le problème deux fois.",
        "Résolu, après un détour par le mauvais service.",
        "Un peu long, mais la solution tenait la route.",
    ),
    ("support", LUKEWARM, "en"): (
        "Right answer in the end, the first one was for another model.",
        "Helpful, though I had to send the serial number three times.",
        "OK. A call back would have been quicker than six mails.",
    ),
    ("support", UNHAPPY, "fr"): (
        "Deux jours sans réponse pour une panne totale.",
        "Ticket fermé sans que rien soit réglé, il a fallu rouvrir.",
        "On me demande des photos que j'ai déjà envoyées.",
        "Trois interlocuteurs, trois diagnostics différents.",
    ),
    ("support", UNHAPPY, "en"): (
        "Closed without a fix. Had to start over.",
        "Nobody picked up all Monday.",
        "I was told to read the manual. I wrote because of the manual.",
        "A week of silence, then 'is this still relevant?'. Yes, it is.",
    ),
    ("commissioning", HAPPY, "fr"): (
        "Installateur ponctuel et propre, il a tout expliqué à ma mère.",
        "On n'entend presque pas la pompe à chaleur, les voisins sont contents aussi.",
        "Chantier fini un jour plus tôt que prévu.",
        "Maison chaude le soir même, merci à toute l'équipe.",
        "Devis respecté au centime près.",
    ),
    ("commissioning", HAPPY, "en"): (
        "Tidy work, took the time to show us the settings.",
        "Warm house, lower bill, no fuss.",
        "They came when they said and cleaned up after themselves.",
        "The fitter stayed late so we had hot water for the weekend.",
    ),
    ("commissioning", LUKEWARM, "fr"): (
        "Très bon matériel, le rendez-vous a été déplacé deux fois.",
        "Content du résultat, un peu moins de la poussière.",
        "L'application demande de s'y faire.",
    ),
    ("commissioning", LUKEWARM, "en"): (
        "Works well, the thermostat manual is a novel.",
        "Good job overall, a bit noisier than I expected.",
        "Happy with it, but the paperwork for the grant took months.",
    ),
    ("commissioning", UNHAPPY, "fr"): (
        "Trois visites pour une mise en service, et toujours un code erreur le matin.",
        "Sans chauffage pendant neuf jours en décembre.",
        "Le bruit la nuit est insupportable, personne ne rappelle.",
        "Trou rebouché à la va-vite dans un mur refait à neuf.",
    ),
    ("commissioning", UNHAPPY, "en"): (
        "Waited in all day, nobody came, nobody called.",
        "Second breakdown in a month.",
        "The final bill was nothing like the quote.",
        "A part was missing on the day, so we had three weeks of cold showers.",
    ),
}
