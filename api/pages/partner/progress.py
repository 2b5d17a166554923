"""Progress in words: each open rule as a card, and what to do next as a list."""

from __future__ import annotations

from typing import Any

from api.catalogues import text
from api.render import translator
from partner_cx.quantities import points_text
from rewards.conditions import Verdict
from rewards.progress import Left, Progress, Repeated, Standing, Status, Towards
from rewards.rules import Recipient

STEPS_SHOWN = 5
SOON_DAYS = 14  # a period with no more days than these is about to end

# How a status is told, and in which colour its word stands.
STATUSES = {
    Status.CERTAIN: (text("certain"), "green"),
    Status.ON_COURSE: (text("on course"), "green"),
    Status.SHORT: (text("not there yet"), "amber"),
    Status.UNKNOWN: (text("can’t be told yet"), ""),
    Status.OUT_OF_REACH: (text("out of reach"), "red"),
}
VERDICTS = {
    Verdict.MET: ("✓", text("met"), "green"),
    Verdict.NOT_MET: ("✕", text("not yet"), "amber"),
    Verdict.UNKNOWN: ("○", text("unknown"), ""),
}


def towards_card(each: Towards, figures_href: str, language: str) -> dict[str, Any]:
    """An open rule: how it stands, condition by condition, and what is still to be done."""
    say = translator(language)
    word, kind = STATUSES[each.status]
    return {
        "id": f"rule-{each.rule.code}",
        "title": each.rule.label.in_(language),
        "worth": each.rule.award.told.in_(language),
        "so_far": _so_far(each, language),
        "status": say(word),
        "kind": kind,
        "period": each.period.label(language),
        "days": days_left(each.days_left, language),
        "is_soon": each.days_left <= SOON_DAYS,
        "limited": each.limited.in_(language) if each.limited else "",
        "conditions": [
            _condition(standing, f"{figures_href}?period={each.period}", language)
            for standing in each.conditions
        ],
        "todo": [step.in_(language) for step in each.outlook.todo],
        "reachable": each.outlook.reachable,
    }


def days_left(days: int, language: str) -> str:
    say = translator(language)
    if days == 0:
        return say("the last day is today")
    return say.many("{count} day left", "{count} days left", days)


def _so_far(each: Towards, language: str) -> str:
    """What a close would bring today, where that isn't simply what the rule is worth."""
    say = translator(language)
    if each.status is Status.CERTAIN:
        return say("{points} at the close, whatever comes").format(
            points=points_text(each.points, language)
        )
    if each.points:
        return say("{points} if it stays so until the close").format(
            points=points_text(each.points, language)
        )
    return ""


def _condition(each: Standing, href: str, language: str) -> dict[str, Any]:
    say = translator(language)
    sign, word, kind = VERDICTS[each.verdict]
    return {
        "sign": sign,
        "word": say(word),
        "kind": kind,
        "sentence": each.sentence.in_(language) if not each.parts else _several(each, language),
        "share": None if each.share is None else round(float(each.share * 100), 1),
        "todo": each.todo.in_(language) if each.todo else "",
        "href": f"{href}&kpi={each.kpi}" if each.kpi else "",
        "parts": [_condition(part, href, language) for part in each.parts],
    }


def _several(each: Standing, language: str) -> str:
    """What stands above conditions of which some are asked for."""
    say = translator(language)
    if each.needed == len(each.parts):
        return say("All of these:")
    return say.many("At least {count} of these:", "At least {count} of these:", each.needed or 0)


def repeated_card(each: Repeated, language: str) -> dict[str, Any]:
    """A rule that rewards each event: what it is worth, how often it came, what is left."""
    say = translator(language)
    to_person = each.rule.award.to is Recipient.PERSON
    return {
        "id": f"rule-{each.rule.code}",
        "title": each.rule.label.in_(language),
        "worth": each.rule.award.told.in_(language),
        "period": each.period.label(language),
        "to_person": to_person,
        "so_far": say.many("{count} time", "{count} times", each.times),
        "points": points_text(each.points, language),
        "left": [] if to_person else [_left(left, language) for left in each.limits],
    }


def _left(left: Left, language: str) -> str:
    say = translator(language)
    if left.times == 0 or left.points == 0:
        return say("The limit of {period} is reached").format(period=left.period.label(language))
    parts = []
    if left.times is not None:
        parts.append(say.many("{count} more time", "{count} more times", left.times))
    if left.points is not None:
        parts.append(say("{points} more").format(points=points_text(left.points, language)))
    return say("{left} can still be earned in {period}").format(
        left=", ".join(parts), period=left.period.label(language)
    )


# --- What to do next ------------------------------------------------------------------------------


def next_steps(ahead: Progress, language: str) -> list[dict[str, Any]]:
    """What to do next: what is nearest to a reward first, then what lacks data, then the rest.

    Last of all comes what hardly anybody would go for, however few ways there are besides.
    """
    say = translator(language)
    steps: list[dict[str, Any]] = [
        {
            "title": each.rule.label.in_(language),
            "anchor": f"rule-{each.rule.code}",
            "todo": [step.in_(language) for step in each.outlook.todo],
            "worth": each.rule.award.told.in_(language),
            "days": days_left(each.days_left, language),
            "is_soon": each.days_left <= SOON_DAYS,
            "lacks_data": each.status is Status.UNKNOWN,
            "far": each.is_far,
        }
        for each in ahead.towards
        if each.is_open and each.outlook.todo
    ]
    for each in ahead.repeated:
        times = [left.times for left in each.limits if left.times is not None]
        if each.rule.award.to is Recipient.PERSON or 0 in times or not _room(each):
            continue
        can = say("As often as you like.")
        if times:
            can = say.many(
                "{count} more time in {period}.", "{count} more times in {period}.", min(times)
            ).format(period=each.limits[0].period.label(language))
        steps.append(
            {
                "title": each.rule.label.in_(language),
                "anchor": f"rule-{each.rule.code}",
                "todo": [can],
                "worth": each.rule.award.told.in_(language),
                "days": "",
                "is_soon": False,
                "lacks_data": False,
                "far": False,
            }
        )
    return sorted(steps, key=lambda step: step["far"])[:STEPS_SHOWN]


def _room(each: Repeated) -> bool:
    return all(left.points is None or left.points > 0 for left in each.limits)
