"""The vocabulary of rules: each condition examines the evidence and says what it found, and why.

Before it stands the evidence about one subject; after it `rules.decide`. A finding is met, not met
or unknown, with a sentence that carries the figures. There is no expression language: a condition
is a small class under the name that rules write, so nothing can be injected and everything can
be explained. To add one, write the class and name it; reading and writing follow.
"""

from rewards.conditions.comparisons import MEMBERS_MIN, KpiBeats, KpiImproved
from rewards.conditions.condition import (
    CONDITIONS,
    Condition,
    Finding,
    Verdict,
    all_met,
    any_met,
    condition_to_plain,
    read_condition,
)
from rewards.conditions.of_events import EventAbout, EventsAtLeast
from rewards.conditions.of_kpis import Compared, KpiAtLeast, KpiAtMost, KpiIsGreen, interval_end
from rewards.conditions.of_partners import PartnerFor, PartnerIn, months_later
from rewards.conditions.several import AllOf, AnyOf, AtLeastOf

__all__ = [
    "CONDITIONS",
    "MEMBERS_MIN",
    "AllOf",
    "AnyOf",
    "AtLeastOf",
    "Compared",
    "Condition",
    "EventAbout",
    "EventsAtLeast",
    "Finding",
    "KpiAtLeast",
    "KpiAtMost",
    "KpiBeats",
    "KpiImproved",
    "KpiIsGreen",
    "PartnerFor",
    "PartnerIn",
    "Verdict",
    "all_met",
    "any_met",
    "condition_to_plain",
    "interval_end",
    "months_later",
    "read_condition",
]
