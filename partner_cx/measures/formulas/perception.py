"""Perception: what people answered. A dismissed question is no answer; a 0 is one.

A scale belongs to its question: `csat` (1–5) and `csat10`, `ces` (1–7, high = easy) and `ces5`
(1–5, high = effort) are measured apart and never mixed. Answers come in micro-units.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from partner_cx.measures.formulas.seam import as_day, count, days, known, spread, together
from partner_cx.quantities import MICRO

PROMOTER_MIN, DETRACTOR_MAX = 9, 6
SATISFIED = {"csat": (4, 5), "csat10": (8, 10)}  # the two best boxes of five, the three of ten


def counts(answers: pd.DataFrame, *, as_of_day: date) -> pd.DataFrame:
    """Count `nps` and `pnps` with their `_promoters` and `_detractors`, `pnps_score`, `csat` and
    `csat10`, on the day of the answer; n are answers.

    answers: partner_id, answered_on, question_code, value (micro-units), dismissed, respondent.
    nps, pnps: hits are promoters − detractors. pnps_score: hits are the points given, of the
    answers, so that a partner's mean can be taken: one partner, one vote.
    """
    given = _given(answers, as_of_day)
    return together(
        [
            *(_recommending(kpi, given) for kpi in ("nps", "pnps")),
            _scores("pnps_score", given[given["question_code"] == "pnps"]),
            *(_satisfied(kpi, given) for kpi in SATISFIED),
        ]
    )


def spreads(answers: pd.DataFrame, *, as_of_day: date) -> pd.DataFrame:
    """Spread the micro-units of `ces`, `ces5` and every `dsi.<factor>` and `cxi.<item>`."""
    given = _given(answers, as_of_day)
    code = given["question_code"].astype("str")
    scored = given[code.isin(["ces", "ces5"]) | code.str.startswith(("dsi.", "cxi."))]
    return spread(scored["question_code"], scored, day="answered_on", value=scored["value"])


def _given(answers: pd.DataFrame, as_of_day: date) -> pd.DataFrame:
    dismissed = answers["dismissed"].astype("boolean").fillna(value=False).astype("bool")
    value = known(answers["value"])
    given = ~dismissed & value.notna() & (days(answers["answered_on"]) <= as_day(as_of_day))
    return answers.assign(value=value)[given]


def _recommending(kpi: str, given: pd.DataFrame) -> pd.DataFrame:
    asked = given[given["question_code"] == kpi]
    promoter = (asked["value"] >= PROMOTER_MIN * MICRO).astype("int64")
    detractor = (asked["value"] <= DETRACTOR_MAX * MICRO).astype("int64")
    return together(
        [
            count(kpi, asked, day="answered_on", hits=promoter - detractor, of=1),
            count(f"{kpi}_promoters", asked, day="answered_on", hits=promoter, of=1),
            count(f"{kpi}_detractors", asked, day="answered_on", hits=detractor, of=1),
        ]
    )


def _scores(kpi: str, asked: pd.DataFrame) -> pd.DataFrame:
    """Points are whole on this scale: intake refuses others."""
    return count(kpi, asked, day="answered_on", hits=asked["value"] // MICRO, of=1)


def _satisfied(kpi: str, given: pd.DataFrame) -> pd.DataFrame:
    lowest, highest = SATISFIED[kpi]
    asked = given[given["question_code"] == kpi]
    satisfied = asked["value"].between(lowest * MICRO, highest * MICRO)
    return count(kpi, asked, day="answered_on", hits=satisfied, of=1)
