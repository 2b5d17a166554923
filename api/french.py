"""The pages' texts in French, by their English. Every text of the pages is here, and no other."""

from __future__ import annotations

FRENCH = {
    # The frame
    "Skip to the contents": "Aller au contenu",
    "Main": "Principal",
    "Language": "Langue",
    "Period": "Période",
    "Network": "Réseau",
    "Partners": "Partenaires",
    "What is measured": "Ce qui est mesuré",
    "Sign out": "Se déconnecter",
    "To the start": "Retour au début",
    # Signing in
    "Sign in": "Se connecter",
    "Welcome to Partner CX": "Bienvenue dans Partner CX",
    "Your link is here. One press, and you are in.": "Votre lien est là. Un clic, et vous y êtes.",
    "The link works once. You stay signed in for twelve hours, or until you sign out.": "Le lien "
    "sert une fois. Vous restez connecté douze heures, ou jusqu’à votre déconnexion.",
    "You sign in with a link of your own: no password to remember.": "Vous vous connectez avec un "
    "lien personnel : aucun mot de passe à retenir.",
    "Ask whoever runs the programme for a link. It works once, for half an hour.": "Demandez un "
    "lien aux responsables du programme. Il sert une fois, pendant une demi-heure.",
    "Your e-mail address": "Votre adresse électronique",
    "Send me a link": "M’envoyer un lien",
    "Look into your mail": "Regardez vos courriels",
    "If we know the address, a link is on its way. It works once, for half an hour.": "Si nous "
    "connaissons l’adresse, un lien est en route. Il sert une fois, pendant une demi-heure.",
    "Nothing there after some minutes? Look among the unwanted mail, check the address, or ask "
    "whoever runs the programme.": "Rien après quelques minutes ? Regardez parmi les indésirables, "
    "vérifiez l’adresse, ou demandez aux responsables du programme.",
    "This link no longer works": "Ce lien ne fonctionne plus",
    "It was used already, or it is more than half an hour old.": "Il a déjà servi, ou il a plus "
    "d’une demi-heure.",
    # Stopping letters
    "Letters": "Courriels",
    "Stop these letters?": "Arrêter ces courriels ?",
    "{email} gets letters about {topic}.": "{email} reçoit des courriels sur {topic}.",
    "Stop these letters": "Arrêter ces courriels",
    "Other letters still come. Nothing changes in what you earn.": "Les autres courriels "
    "continuent. Rien ne change à ce que vous gagnez.",
    "These letters are stopped": "Ces courriels sont arrêtés",
    "{email} gets no more letters about {topic}.": "{email} ne reçoit plus de courriels sur "
    "{topic}.",
    "Send them again": "Les envoyer de nouveau",
    # A person's own page
    "You see the whole network.": "Vous voyez tout le réseau.",
    "Your statement": "Votre relevé",
    "The partners you supply": "Les partenaires que vous fournissez",
    "There is nothing here for you yet: field reports will come to this page.": "Il n’y a encore "
    "rien ici pour vous : les comptes rendus de visite viendront sur cette page.",
    # The scorecards
    "Network scorecard": "Tableau de bord du réseau",
    "Closed on {day}: these figures no longer change.": "Clôturé le {day} : ces chiffres ne "
    "changent plus.",
    "Still open: figures as of {instant}.": "Encore ouvert : chiffres arrêtés au {instant}.",
    "running": "en cours",
    "See it partner by partner": "Le voir partenaire par partenaire",
    "All KPIs of the network against their targets": "Tous les indicateurs du réseau face à leurs "
    "objectifs",
    "The line shows the last eight periods; the dashes are the target.": "La ligne montre les huit "
    "dernières périodes ; les tirets, l’objectif.",
    "As a table": "En tableau",
    "The last eight periods": "Les huit dernières périodes",
    "KPI": "Indicateur",
    "Value": "Valeur",
    "Target": "Objectif",
    "State": "État",
    "Sample": "Effectif",
    "95% interval": "Intervalle à 95 %",
    "Trend": "Tendance",
    "Nothing is measured yet": "Rien n’est encore mesuré",
    "As soon as facts have been imported and a period measured, its figures stand here.": "Dès que "
    "des faits sont importés et une période mesurée, ses chiffres apparaissent ici.",
    # States
    "reached": "atteint",
    "missed": "manqué",
    "no data": "sans donnée",
    "out of date": "périmé",
    "no target": "sans objectif",
    # The catalogue
    "Each KPI is defined once, and means the same on every page, in every rule and every export.": (
        "Chaque indicateur est défini une fois, et veut dire la même chose sur chaque page, dans "
        "chaque règle et chaque export."
    ),
    "Source:": "Source :",
    "version": "version",
    "Deliveries": "Livraisons",
    "Help desk": "Assistance",
    "Visits": "Interventions",
    "Invoices": "Factures",
    "Portal": "Portail",
    "E-learning": "Formation en ligne",
    "What partners and customers say": "Ce que disent partenaires et clients",
    "Relationship": "Relation",
    # Partners
    "The quality KPIs and points of each partner": "Les indicateurs de qualité et les points de "
    "chaque partenaire",
    "A name leads to the statement, where every point is explained.": "Un nom mène au relevé, où "
    "chaque point est expliqué.",
    "Partner": "Partenaire",
    "Earned": "Gagnés",
    "Balance": "Solde",
    "{partners} partners.": "{partners} partenaires.",
    "{won} of {judged} partners a rule is for earned {points}.": "{won} des {judged} partenaires "
    "concernés par une règle ont gagné {points}.",
    "distributor": "distributeur",
    "reseller": "revendeur",
    "installer": "installateur",
    "agency": "agence",
    # A statement
    "Statement": "Relevé",
    "points to spend": "points à dépenser",
    "What came in and went out": "Ce qui est entré et sorti",
    "points pending": "points en attente",
    "points still to be taken back, from what comes in": "points à reprendre sur ce qui viendra",
    "Not to be spent yet, or taken back before": "Pas encore à dépenser, ou repris avant",
    "pending": "en attente",
    "taken back": "repris",
    "No points yet.": "Pas encore de points.",
    "balance": "solde",
    "rule version": "version de la règle",
    "The figures behind it": "Les chiffres derrière",
    "The figures as frozen at the close": "Les chiffres figés à la clôture",
    "What was missed, and why": "Ce qui a manqué, et pourquoi",
    "worth": "valeur",
    "The rows behind it": "Les lignes en cause",
    "and more:": "et d’autres :",
    "Number": "Numéro",
    "Day": "Jour",
    "What": "Quoi",
    "What was wrong": "Ce qui n’allait pas",
    "corrected since": "corrigé depuis",
    "withdrawn since": "retiré depuis",
    "The partners supplied by it": "Les partenaires qu’il fournit",
    # Refusals
    "This page isn't yours to see": "Cette page n’est pas pour vous",
    "You are signed in, but this page is for others. Your own page shows what is yours.": "Vous "
    "êtes connecté, mais cette page est pour d’autres. Votre page montre ce qui est à vous.",
    "There is nothing here": "Il n’y a rien ici",
    "The address may be mistyped, or what it names isn't there, or isn't yours to see.": "L’"
    "adresse est peut-être mal écrite, ou ce qu’elle nomme n’existe pas ou n’est pas pour vous.",
    "That can't be done here": "Cela ne peut pas se faire ici",
    "The address is right, but not for this.": "L’adresse est bonne, mais pas pour cela.",
    "Something else is in the way": "Autre chose l’empêche",
    "What you asked for contradicts what is already recorded.": "Votre demande contredit ce qui "
    "est déjà enregistré.",
    "This address can't be understood": "Cette adresse n’est pas comprise",
    "A period is written 2026, 2026Q2 or 2026-05.": "Une période s’écrit 2026, 2026Q2 ou 2026-05.",
    "One moment, please": "Un instant, s’il vous plaît",
    "The database is busy or out of reach. Try again shortly.": "La base de données est occupée ou "
    "injoignable. Réessayez dans un instant.",
    "Something went wrong on our side": "Quelque chose a échoué de notre côté",
    "It has been written down. Try again, or go back to the start.": "C’est noté. Réessayez, ou "
    "revenez au début.",
}
