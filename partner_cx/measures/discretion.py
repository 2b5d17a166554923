"""Discretion: what a partner is told of its figures, where a whole one would tell on somebody.

A score out of very few answers is what one respondent said. Those who run the network may look at
it; the partner that it rewards may not.
"""

from __future__ import annotations

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.kpi import Family

ANSWERS_MIN = 5


def discreet(figure: Figure) -> Figure:
    """The figure, without its value where it is made of so few answers that one could be told."""
    kpi = CATALOGUE.get(figure.kpi)
    if kpi is None or kpi.family is not Family.PERCEPTION or figure.n >= ANSWERS_MIN:
        return figure
    return Figure(figure.kpi, None, state=State.NO_DATA, target=figure.target, as_of=figure.as_of)
