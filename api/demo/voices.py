"""What partners and end customers answer: four short surveys, with scores and comments.

Drawn from the script of `story`, the people of `cast` and the words of `verbatims`. An answer is
a row per question; a comment stands beside the score it explains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from api.demo.cast import DECLINING, Contact
from api.demo.story import Stage, happenings
from api.demo.verbatims import COMMENTS, HAPPY, LUKEWARM, UNHAPPY

DISMISSED = 0.04

# question -> (highest, from, shift): the score on its scale, `shift` points of ten above the mood.
_SURVEYS: dict[str, dict[str, tuple[int, int, float]]] = {
    "relation": {
        "pnps": (10, 0, 0.0),
        "dsi.logistics": (100, 0, -1.0),
        "dsi.product": (100, 0, 0.3),
        "dsi.pricing": (100, 0, -1.6),
        "dsi.support": (100, 0, -0.5),
        "dsi.training": (100, 0, 0.0),
    },
    "delivery": {
        "csat": (5, 1, 0.2),
        "cxi.effective": (5, 1, 0.2),
        "cxi.easy": (5, 1, -0.6),
        "cxi.enjoyable": (5, 1, -0.3),
    },
    "support": {"ces": (7, 1, 0.0), "csat": (5, 1, 0.3)},
    "commissioning": {"nps": (10, 0, 0.5), "csat10": (10, 1, 0.4)},
}
_PER_MONTH = {"delivery": 0.009, "support": 0.06, "commissioning": 0.075}
_COMMENTED = {"relation": 0.6, "delivery": 0.3, "support": 0.3, "commissioning": 0.35}


@dataclass(frozen=True)
class Sheet:
    """A questionnaire before it is filled in: whose, when, and how its reader feels."""

    survey: str
    partner_code: str
    at: pd.Timestamp
    respondent: str
    language: str
    quarter: int
    mood: float
    skill: float
    bad_carrier: bool


class Deck:
    """Comments dealt like cards: each of a kind is said once before any is said again."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._piles: dict[tuple[str, ...], list[str]] = {}

    def deal(self, comments: tuple[str, ...]) -> str:
        """The next comment of these."""
        pile = self._piles.setdefault(comments, [])
        if not pile:
            pile.extend(self._rng.permutation(comments).tolist())
        return pile.pop()


def answers(
    script: pd.DataFrame, people: list[Contact], stage: Stage, rng: np.random.Generator
) -> pd.DataFrame:
    """Every answered (or dismissed) question, in the order it came in."""
    asked = pd.concat([_quarterly(script, people, rng), _at_moments(script, rng)])
    asked = asked[(asked["at"] >= stage.start) & (asked["at"] < stage.until)]
    asked = asked.sort_values(["at", "respondent"], kind="stable", ignore_index=True)
    deck = Deck(rng)
    told = asked[[column.name for column in fields(Sheet)]]
    sheets = [Sheet(*row) for row in told.itertuples(index=False, name=None)]
    rows = [row for sheet in sheets for row in _filled_in(sheet, deck, rng)]
    frame = pd.DataFrame(rows)
    frame.insert(0, "source_id", [f"A{30_000 + place}" for place in range(len(frame))])
    return frame


def _quarterly(
    script: pd.DataFrame, people: list[Contact], rng: np.random.Generator
) -> pd.DataFrame:
    """The relation survey: once a quarter to each partner's people, answered by the willing."""
    second = script[script["month"].dt.month % 3 == 2]
    team = pd.DataFrame(
        [(person.partner_code, person.email) for person in people if person.role == "partner"],
        columns=["partner_code", "respondent"],
    )
    # The first two of each partner are asked every quarter.
    asked = second.merge(team.groupby("partner_code").head(2), on="partner_code")
    asked = asked[rng.random(len(asked)) < asked["willing"] * 0.75]
    day = pd.to_timedelta(rng.integers(2, 24, len(asked)), "D")
    minute = pd.to_timedelta(rng.integers(420, 1_140, len(asked)), "m")
    asked = asked.assign(survey="relation", at=asked["month"] + day + minute)
    return asked[(asked["at"] >= asked["first_day"]) & (asked["at"] < asked["beyond"])]


def _at_moments(script: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Surveys after a delivery, after a support contact, after a commissioning."""
    drives = {"delivery": "lines", "support": "tickets", "commissioning": "visits"}
    sheets = []
    for survey, drive in drives.items():
        drawn = happenings(script, script[drive] * _PER_MONTH[survey], rng)
        minute = pd.to_timedelta(rng.integers(420, 1_260, len(drawn)), "m")
        who = "customer" if survey == "commissioning" else "contact"
        names = [f"{who}-{number}" for number in rng.integers(1_000, 9_999, len(drawn))]
        sheets.append(drawn.assign(survey=survey, at=drawn["day"] + minute, respondent=names))
    return pd.concat(sheets)


def _filled_in(sheet: Sheet, deck: Deck, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    """The rows of one questionnaire. A dismissed one has its questions, and no scores."""
    dismissed = rng.random() < DISMISSED
    feeling = _feeling(sheet, rng)
    for place, (question, scale) in enumerate(_SURVEYS[sheet.survey].items()):
        value = _score(question, sheet, feeling, scale, rng)
        commented = place == 0 and not dismissed and rng.random() < _COMMENTED[sheet.survey]
        yield {
            "survey_code": sheet.survey,
            "partner_code": sheet.partner_code,
            "answered_at": sheet.at + pd.Timedelta(seconds=20 * place),
            "question_code": question,
            "value": "" if dismissed else value,
            "text": _comment(sheet, value / scale[0], deck) if commented else "",
            "dismissed": dismissed,
            "respondent": sheet.respondent,
        }


def _feeling(sheet: Sheet, rng: np.random.Generator) -> float:
    """Out of ten. Now and then somebody has simply had enough."""
    if rng.random() < 0.014 * (sheet.mood < 9):
        return 0.0
    swing = 2.1 if sheet.mood < 9 else 0.5
    # End customers judge the installer; the brand's carrier and prices trouble them little.
    mood = 8.3 + 8 * (sheet.skill - 0.87) if sheet.survey == "commissioning" else sheet.mood
    return float(rng.normal(mood, swing))


def _score(
    question: str,
    sheet: Sheet,
    feeling: float,
    scale: tuple[int, int, float],
    rng: np.random.Generator,
) -> int:
    highest, lowest, shift = scale
    logistics = -1.8 * (question == "dsi.logistics" and sheet.bad_carrier)
    of_ten = feeling + shift + logistics + rng.normal(0, 0.5) * (feeling > 0)
    step = 5 if highest == 100 else 1
    score = lowest + (highest - lowest) * min(max(of_ten / 10, 0.0), 1.0)
    return round(score / step) * step


def _comment(sheet: Sheet, share: float, deck: Deck) -> str:
    """Words that fit the score, the survey, the language and the partner's story."""
    mood = HAPPY if share > 0.85 else LUKEWARM if share > 0.65 else UNHAPPY
    topic = sheet.survey
    if topic == "relation" and mood != HAPPY:
        if sheet.bad_carrier:
            topic = "carrier"
        elif sheet.partner_code == DECLINING and sheet.quarter > 3:
            topic = "leaving"
    return deck.deal(COMMENTS[topic, mood, sheet.language])
