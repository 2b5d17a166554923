"""E-learning: of those who enrolled, who completed?"""

from __future__ import annotations

from datetime import date

import pandas as pd

from partner_cx.measures.formulas.seam import as_day, count, days


def counts(enrolments: pd.DataFrame, *, as_of_day: date) -> pd.DataFrame:
    """Count `learning_completion` on the day of enrolment: a cohort keeps what it completes later.

    enrolments: partner_id, enrolled_on, completed_on (NaT while it lasts).
    """
    today = as_day(as_of_day)
    enrolled = enrolments[days(enrolments["enrolled_on"]) <= today]
    completed = days(enrolled["completed_on"]) <= today
    return count("learning_completion", enrolled, day="enrolled_on", hits=completed, of=1)
