"""What each KPI means: the page that every figure's name leads to."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.catalogues import text
from api.render import page, translator
from api.request_scope import Language
from api.sign_in import SignedIn
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Family

router = APIRouter()

FAMILY_NAMES = {
    Family.ORDERS: text("Deliveries"),
    Family.TICKETS: text("Help desk"),
    Family.VISITS: text("Visits"),
    Family.INVOICES: text("Invoices"),
    Family.PORTAL: text("Portal"),
    Family.LEARNING: text("E-learning"),
    Family.PERCEPTION: text("What partners and customers say"),
    Family.RELATIONSHIP: text("Relationship"),
}


@router.get("/kpis")
def kpis(request: Request, language: Language, _viewer: SignedIn) -> Response:
    """The catalogue, by family."""
    say = translator(language)
    families = [
        {
            "name": say(FAMILY_NAMES[family]),
            "kpis": [
                {
                    "code": kpi.code,
                    "label": kpi.label.in_(language),
                    "formula": kpi.formula.in_(language),
                    "source": kpi.source,
                    "version": kpi.version,
                }
                for kpi in CATALOGUE.values()
                if kpi.family is family
            ],
        }
        for family in Family
    ]
    return page(request, "programme/kpis.html", families=families)
