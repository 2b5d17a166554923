"""The KPI catalogue: every KPI defined once, for pages, alerts, rules, exports and reports alike.

The formulas turn facts into tallies, and here stands which tallies a KPI is made of and how days
add up to a period; `summing` draws the figure. A changed definition gets a higher `version`, and
frozen scorecards keep the one they were made with. The definitions' sources: SCOR and Walmart
for deliveries, COPC for tickets, Reichheld for NPS, Dixon for effort.
"""

from __future__ import annotations

from collections.abc import Mapping

from partner_cx.measures.kpi import AddsUp, Direction, Family, Kpi, Unit
from partner_cx.words import Words

_HOUSE = "Partner CX"
_HIGHER, _LOWER = Direction.HIGHER, Direction.LOWER


def _share(
    code: str,
    label: Words,
    formula: Words,
    *,
    family: Family,
    facts: tuple[str, ...],
    source: str,
    direction: Direction = _HIGHER,
    adds_up: AddsUp = AddsUp.COUNTS,
    tally: str | None = None,
    coverage: str | None = None,
    scale: int = 1,
    has_interval: bool = True,
) -> Kpi:
    tallies = () if adds_up is AddsUp.STANDING else (tally or code,)
    return Kpi(
        code,
        label,
        Unit.SHARE,
        direction,
        family,
        facts,
        adds_up,
        tallies,
        formula,
        source,
        coverage=coverage,
        scale=scale,
        has_interval=has_interval,
    )


_KPIS = (
    # --- Orders ---------------------------------------------------------------------------------
    _share(
        "otif",
        Words("OTIF", "OTIF"),
        Words(
            "Order lines received in full inside their window, out of all lines due. What the "
            "supplier cancels or forgets counts as missed.",
            "Lignes de commande reçues complètes dans leur créneau, sur toutes les lignes échues. "
            "Ce que le fournisseur annule ou oublie compte comme manqué.",
        ),
        family=Family.ORDERS,
        facts=("order-lines", "receipts"),
        source="SCOR RL.1.1; Walmart OTIF",
    ),
    _share(
        "otif_order",
        Words("OTIF by order", "OTIF par commande"),
        Words(
            "Orders whose due lines all arrived on time and in full, out of all orders with a due "
            "line, in the period of their last one.",
            "Commandes dont toutes les lignes échues sont arrivées complètes et à l’heure, sur "
            "toutes celles qui en ont une, dans la période de la dernière.",
        ),
        family=Family.ORDERS,
        facts=("order-lines", "receipts"),
        source="SCOR RL.1.1",
    ),
    _share(
        "otif_case",
        Words("OTIF by quantity", "OTIF en quantité"),
        Words(
            "Quantity received inside its window, never more than ordered, out of the quantity "
            "ordered on lines due.",
            "Quantité reçue dans son créneau, sans dépasser la commande, sur la quantité commandée "
            "des lignes échues.",
        ),
        family=Family.ORDERS,
        facts=("order-lines", "receipts"),
        source="Walmart OTIF",
        scale=1_000_000,
        has_interval=False,
    ),
    _share(
        "on_time",
        Words("On time", "À l’heure"),
        Words(
            "Lines with every receipt inside the window, out of all lines due.",
            "Lignes dont toutes les réceptions tombent dans le créneau, sur toutes les lignes "
            "échues.",
        ),
        family=Family.ORDERS,
        facts=("order-lines", "receipts"),
        source="SCOR RL.2.2",
    ),
    _share(
        "in_full",
        Words("In full", "Complet"),
        Words(
            "Lines that have received at least what was ordered, whenever it came, out of all "
            "lines due.",
            "Lignes qui ont reçu au moins la quantité commandée, quelle que soit la date, sur "
            "toutes les lignes échues.",
        ),
        family=Family.ORDERS,
        facts=("order-lines", "receipts"),
        source="SCOR RL.2.1",
    ),
    # --- Tickets --------------------------------------------------------------------------------
    _share(
        "sla_response",
        Words("SLA first response", "SLA première réponse"),
        Words(
            "Tickets answered within their target, out of those answered or overdue. Time runs in "
            "opening hours, pauses left out.",
            "Tickets ayant reçu une réponse dans le délai promis, sur ceux répondus ou en retard. "
            "Le temps court aux heures d’ouverture, hors pauses.",
        ),
        family=Family.TICKETS,
        facts=("tickets",),
        source="COPC",
    ),
    _share(
        "sla_resolution",
        Words("SLA resolution", "SLA résolution"),
        Words(
            "Tickets resolved within their target, out of those resolved or overdue. A reopened "
            "ticket counts by its last resolution.",
            "Tickets résolus dans le délai promis, sur ceux résolus ou en retard. Un ticket "
            "rouvert compte par sa dernière résolution.",
        ),
        family=Family.TICKETS,
        facts=("tickets",),
        source="COPC",
    ),
    Kpi(
        "first_response",
        Words("First response time", "Délai de première réponse"),
        Unit.MINUTES,
        _LOWER,
        Family.TICKETS,
        ("tickets",),
        AddsUp.VALUES,
        ("first_response",),
        Words(
            "Mean business minutes from a ticket's opening to the first public human reply, beside "
            "the median and the 90th percentile.",
            "Moyenne des minutes ouvrées entre l’ouverture d’un ticket et la première réponse "
            "humaine publique, avec la médiane et le 90ᵉ centile.",
        ),
        "COPC",
    ),
    Kpi(
        "resolution",
        Words("Resolution time (ART)", "Délai de résolution"),
        Unit.MINUTES,
        _LOWER,
        Family.TICKETS,
        ("tickets",),
        AddsUp.VALUES,
        ("resolution",),
        Words(
            "Mean business minutes from a ticket's opening to its last resolution, beside the "
            "median and the 90th percentile.",
            "Moyenne des minutes ouvrées entre l’ouverture d’un ticket et sa dernière résolution, "
            "avec la médiane et le 90ᵉ centile.",
        ),
        "COPC",
    ),
    Kpi(
        "backlog",
        Words("Backlog", "Tickets en attente"),
        Unit.COUNT,
        _LOWER,
        Family.TICKETS,
        ("tickets",),
        AddsUp.RUNNING,
        ("tickets_opened", "tickets_resolved", "tickets_reopened"),
        Words(
            "Tickets still waiting at the period's end: those at its start, plus created and "
            "reopened, minus solved.",
            "Tickets encore en attente en fin de période : ceux du début, plus les créés et les "
            "rouverts, moins les résolus.",
        ),
        "COPC",
    ),
    _share(
        "fcr",
        Words("First contact resolution (FCR)", "Résolution au premier contact (FCR)"),
        Words(
            "Tickets settled with one contact and never reopened, out of resolved tickets whose "
            "contacts were counted.",
            "Tickets réglés en un seul contact et jamais rouverts, sur les tickets résolus dont "
            "les contacts ont été comptés.",
        ),
        family=Family.TICKETS,
        facts=("tickets",),
        source="COPC",
        coverage="fcr_known",
    ),
    # --- Visits ---------------------------------------------------------------------------------
    _share(
        "ftfr",
        Words("First-time fix rate (FTFR)", "Réparation à la première visite (FTFR)"),
        Words(
            "First visits that fixed it with no follow-up to the same asset within 14 days, out of "
            "all first visits old enough to tell.",
            "Premières visites qui ont réglé le problème sans retour sur le même équipement sous "
            "14 jours, sur toutes celles assez anciennes pour le dire.",
        ),
        family=Family.VISITS,
        facts=("visits",),
        source="TSIA",
    ),
    # --- Invoices -------------------------------------------------------------------------------
    _share(
        "dispute_rate",
        Words("Dispute rate", "Taux de litiges"),
        Words(
            "Disputed invoice lines out of all invoice lines, in the invoice's period.",
            "Lignes de facture contestées sur toutes les lignes facturées, dans la période de la "
            "facture.",
        ),
        family=Family.INVOICES,
        facts=("invoices",),
        source=_HOUSE,
        direction=_LOWER,
        coverage="dispute_rate_known",
    ),
    _share(
        "credit_rate",
        Words("Credit note rate", "Taux d’avoirs"),
        Words(
            "Value credited back out of value invoiced, in the invoice's period and the "
            "programme's currency.",
            "Valeur rendue en avoirs sur valeur facturée, dans la période de la facture et la "
            "devise du programme.",
        ),
        family=Family.INVOICES,
        facts=("invoices",),
        source=_HOUSE,
        direction=_LOWER,
        coverage="credit_rate_known",
        has_interval=False,
    ),
    # --- Portal ---------------------------------------------------------------------------------
    _share(
        "portal_adoption",
        Words("Portal adoption", "Adoption du portail"),
        Words(
            "Accounts under contract for 30 days of the period that used the portal themselves, "
            "out of all such accounts.",
            "Comptes sous contrat 30 jours de la période qui ont eux-mêmes utilisé le portail, sur "
            "tous ces comptes.",
        ),
        family=Family.PORTAL,
        facts=("portal-events", "partners"),
        source=_HOUSE,
        tally="portal_sessions",
    ),
    _share(
        "portal_depth",
        Words("Portal depth", "Intensité d’usage du portail"),
        Words(
            "Invited people who were seen on the portal, out of all invited people.",
            "Personnes invitées vues sur le portail, sur toutes les personnes invitées.",
        ),
        family=Family.PORTAL,
        facts=("portal-events", "people"),
        source=_HOUSE,
        adds_up=AddsUp.SEEN,
    ),
    Kpi(
        "sheet_views",
        Words("Product sheets viewed", "Fiches produit consultées"),
        Unit.COUNT,
        _HIGHER,
        Family.PORTAL,
        ("portal-events",),
        AddsUp.COUNTS,
        ("sheet_views",),
        Words(
            "Product sheets viewed on the portal by external people.",
            "Fiches produit consultées sur le portail par des personnes externes.",
        ),
        _HOUSE,
    ),
    Kpi(
        "media_downloads",
        Words("Media downloads", "Médias téléchargés"),
        Unit.COUNT,
        _HIGHER,
        Family.PORTAL,
        ("portal-events",),
        AddsUp.COUNTS,
        ("media_downloads",),
        Words(
            "Media downloaded from the portal by external people.",
            "Médias téléchargés sur le portail par des personnes externes.",
        ),
        _HOUSE,
    ),
    _share(
        "catalogue_completion",
        Words("Catalogue completion", "Complétude du catalogue"),
        Words(
            "Valid filled fields out of required fields, by each partner's last status in the "
            "period.",
            "Champs valides remplis sur champs obligatoires, selon le dernier état de chaque "
            "partenaire dans la période.",
        ),
        family=Family.PORTAL,
        facts=("catalogue-status",),
        source=_HOUSE,
        adds_up=AddsUp.LATEST,
        has_interval=False,
    ),
    # --- Learning -------------------------------------------------------------------------------
    _share(
        "learning_completion",
        Words("E-learning completion", "Formations terminées"),
        Words(
            "Completed out of enrolled, by the day of enrolment.",
            "Formations terminées sur inscriptions, à la date d’inscription.",
        ),
        family=Family.LEARNING,
        facts=("learning",),
        source=_HOUSE,
    ),
    # --- Perception -----------------------------------------------------------------------------
    Kpi(
        "nps",
        Words("NPS", "NPS"),
        Unit.NPS,
        _HIGHER,
        Family.PERCEPTION,
        ("answers",),
        AddsUp.COUNTS,
        ("nps", "nps_promoters", "nps_detractors"),
        Words(
            "Share of promoters (9–10) minus share of detractors (0–6), times 100. A dismissed "
            "question is no answer; 0 is one.",
            "Part des promoteurs (9–10) moins part des détracteurs (0–6), fois 100. Une question "
            "écartée n’est pas une réponse ; 0 en est une.",
        ),
        "Reichheld",
        has_interval=True,
    ),
    Kpi(
        "pnps",
        Words("Partner NPS (pNPS)", "NPS partenaires (pNPS)"),
        Unit.NPS,
        _HIGHER,
        Family.PERCEPTION,
        ("answers",),
        AddsUp.COUNTS,
        ("pnps", "pnps_promoters", "pnps_detractors"),
        Words(
            "Partners' people recommending the programme: promoters (9–10) minus detractors (0–6) "
            "per 100 answers.",
            "Recommandation du programme par les personnes des partenaires : promoteurs (9–10) "
            "moins détracteurs (0–6) pour 100 réponses.",
        ),
        "Reichheld",
        has_interval=True,
    ),
    Kpi(
        "pnps_by_partner",
        Words("pNPS, one partner one vote", "pNPS, un partenaire une voix"),
        Unit.NPS,
        _HIGHER,
        Family.PERCEPTION,
        ("answers",),
        AddsUp.COUNTS,
        ("pnps_score",),
        Words(
            "As the pNPS, but each partner votes once, with the mean of its answers.",
            "Comme le pNPS, mais chaque partenaire vote une fois, par la moyenne de ses réponses.",
        ),
        _HOUSE,
        has_interval=True,
    ),
    _share(
        "csat",
        Words("Satisfaction (CSAT)", "Satisfaction (CSAT)"),
        Words(
            "Answers of 4 or 5 out of all answers on the scale of 1 to 5.",
            "Réponses 4 ou 5 sur toutes les réponses, sur l’échelle de 1 à 5.",
        ),
        family=Family.PERCEPTION,
        facts=("answers",),
        source="Top-two-box",
    ),
    _share(
        "csat10",
        Words("Satisfaction out of ten (CSAT)", "Satisfaction sur dix (CSAT)"),
        Words(
            "Answers of 8 to 10 out of all answers on the scale of 1 to 10.",
            "Réponses de 8 à 10 sur toutes les réponses, sur l’échelle de 1 à 10.",
        ),
        family=Family.PERCEPTION,
        facts=("answers",),
        source="Top-three-box",
    ),
    Kpi(
        "ces",
        Words("Ease (CES)", "Facilité (CES)"),
        Unit.SCORE,
        _HIGHER,
        Family.PERCEPTION,
        ("answers",),
        AddsUp.VALUES,
        ("ces",),
        Words(
            "Mean ease on the scale of 1 to 7, beside the share of 5 and above and the index of "
            "0 to 100.",
            "Facilité moyenne sur l’échelle de 1 à 7, avec la part des 5 et plus et l’indice de "
            "0 à 100.",
        ),
        "CES 2.0, Dixon",
    ),
    Kpi(
        "ces5",
        Words("Effort (CES)", "Effort (CES)"),
        Unit.SCORE,
        _LOWER,
        Family.PERCEPTION,
        ("answers",),
        AddsUp.VALUES,
        ("ces5",),
        Words(
            "Mean effort on the scale of 1 to 5, where less is better, beside the ease index of "
            "0 to 100.",
            "Effort moyen sur l’échelle de 1 à 5, où moins vaut mieux, avec l’indice de facilité "
            "de 0 à 100.",
        ),
        "CES 1.0, Dixon",
    ),
    Kpi(
        "dsi",
        Words("Dealer satisfaction (DSI)", "Satisfaction des distributeurs (DSI)"),
        Unit.INDEX,
        _HIGHER,
        Family.PERCEPTION,
        ("answers",),
        AddsUp.VALUES,
        ("dsi.*",),
        Words(
            "Weighted mean of the factors' scores, 0 to 100; published only when factors worth 70% "
            "of the weights have answers.",
            "Moyenne pondérée des notes par facteur, de 0 à 100 ; publiée seulement si des "
            "facteurs valant 70 % des poids ont des réponses.",
        ),
        _HOUSE,
    ),
    Kpi(
        "cxi",
        Words("Network experience index (CXi)", "Indice d’expérience du réseau (CXi)"),
        Unit.INDEX,
        _HIGHER,
        Family.PERCEPTION,
        ("answers",),
        AddsUp.VALUES,
        ("cxi.*",),
        Words(
            "Weighted mean of effective, easy and enjoyable (1 to 5), told from 0 to 100; "
            "published only when items worth 70% of the weights have answers.",
            "Moyenne pondérée d’efficace, facile et agréable (1 à 5), exprimée de 0 à 100 ; "
            "publiée seulement si des questions valant 70 % des poids ont des réponses.",
        ),
        "Forrester CX Index",
    ),
    # --- Relationship ---------------------------------------------------------------------------
    Kpi(
        "time_to_quote",
        Words("Time to quote", "Délai de devis"),
        Unit.HOURS,
        _LOWER,
        Family.RELATIONSHIP,
        ("quotes",),
        AddsUp.VALUES,
        ("time_to_quote",),
        Words(
            "Median hours from a request to its quote, around the clock.",
            "Médiane des heures entre une demande et son devis, jour et nuit.",
        ),
        _HOUSE,
    ),
    _share(
        "retention",
        Words("Retention", "Fidélité du réseau"),
        Words(
            "Partners still there at the end, newcomers left out, out of those there at the start.",
            "Partenaires encore présents à la fin, hors nouveaux, sur ceux présents au début.",
        ),
        family=Family.RELATIONSHIP,
        facts=("partners",),
        source="(E − N) / S",
        adds_up=AddsUp.STANDING,
    ),
    _share(
        "churn",
        Words("Churn", "Attrition"),
        Words(
            "Partners gone at the end, out of those there at the start.",
            "Partenaires partis à la fin, sur ceux présents au début.",
        ),
        family=Family.RELATIONSHIP,
        facts=("partners",),
        source="1 − retention of the same cohort",
        direction=_LOWER,
        adds_up=AddsUp.STANDING,
    ),
    _share(
        "referral_rate",
        Words("Referral rate", "Taux de recommandation"),
        Words(
            "Active partners with at least one referral in the period, out of all active partners.",
            "Partenaires actifs avec au moins une recommandation dans la période, sur tous les "
            "partenaires actifs.",
        ),
        family=Family.RELATIONSHIP,
        facts=("referrals", "partners"),
        source=_HOUSE,
        tally="referrals",
    ),
)

CATALOGUE: Mapping[str, Kpi] = {kpi.code: kpi for kpi in _KPIS}
