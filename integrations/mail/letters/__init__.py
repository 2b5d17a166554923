"""Letters: each that Partner CX writes, by name. A letter's module holds its words."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.mail.letters.alerts import ALERT
from integrations.mail.letters.desk import About, Desk, Letter, Reader
from integrations.mail.letters.points import POINTS_EARNED
from integrations.mail.letters.quarterly import QUARTERLY_DIGEST
from integrations.mail.letters.reports import REPORT_ANSWERED
from integrations.mail.letters.sign_in import SIGN_IN_LINK
from integrations.mail.letters.surveys import REMINDER, SURVEY
from integrations.mail.letters.weekly import WEEKLY_DIGEST

__all__ = ["LETTERS", "About", "Desk", "Letter", "Reader"]

LETTERS: Mapping[str, Letter] = {
    letter.name: letter
    for letter in (
        SIGN_IN_LINK,
        POINTS_EARNED,
        REPORT_ANSWERED,
        SURVEY,
        REMINDER,
        ALERT,
        WEEKLY_DIGEST,
        QUARTERLY_DIGEST,
    )
}
