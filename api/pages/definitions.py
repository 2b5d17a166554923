"""What each KPI means: the page that every figure's name leads to."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.render import page, translator
from api.request_scope import Language
from api.sign_in import SignedIn
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Family

router = APIRouter()

FAMILY_NAMES = {
    Family.ORDERS: "Deliveries",
    Family.TICKETS: "Help desk",
    Family.VISITS: "Visits",
    Family.INVOICES: "Invoices",
    Family.PORTAL: "Portal",
    Family.LEARNING: "E-learning",
    Family.PERCEPTION: "What partners and customers say",
    Family.RELATIONSHIP: "Relationship",
}


@router.get("/kpis")
def kpis(request: Request, language: Language, _viewer: SignedIn) -> Response:
    """The catalogue, by family."""
    name = translator(language)
    families = [
        {
            "name": name(FAMILY_NAMES[family]),
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
