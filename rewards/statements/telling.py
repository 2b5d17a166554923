"""How explanations are told: each link of the chain in a sentence, in English and in French."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from partner_cx.periods import PeriodKind
from partner_cx.quantities import number_text
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Verdict
from rewards.ledger import AccountKind
from rewards.ledger.posted import Posted
from rewards.misses import Misses
from rewards.restating.proposals import SUPERSEDED
from rewards.rules import Limit, Rule, Shortage
from rewards.statements.explanations import Judged, NotFor, Proposed, Reason
from rewards.statements.nearest import Way

SIGNS = {Verdict.MET: "✓", Verdict.NOT_MET: "✕", Verdict.UNKNOWN: "○"}
IN_THE_LEDGER = Words("In the ledger:", "Au grand livre\u202f:")
_INTACT = Words("digest verified", "empreinte vérifiée")
_ALTERED = Words(
    "ALTERED, its digest differs; run the audit",
    "ALTÉRATION, l’empreinte diffère\u202f; lancez l’audit",
)
_VERDICTS = {
    Verdict.MET: Words("met", "remplie"),
    Verdict.NOT_MET: Words("not met", "non remplie"),
    Verdict.UNKNOWN: Words("left open", "en suspens"),
}


def taken(judged: Judged) -> Words:
    """When, where and to what it was decided."""
    if judged.event:
        where = Words(
            "Decided on event {key}, recorded on {day}",
            "Décidé sur l’événement {key}, noté le {day}",
        ).format(key=judged.event.key, day=_day(judged.event.recorded_at))
    else:
        assert judged.closed_at is not None
        where = Words(
            "Decided at the close of {day} by {by}", "Décidé à la clôture du {day} par {by}"
        ).format(day=_day(judged.closed_at), by=judged.closed_by)
    return Words("{where}: {verdict}, {points}.", "{where}\u202f: {verdict}, {points}.").format(
        where=where, verdict=_VERDICTS[judged.verdict], points=sentences.points(judged.points)
    )


def disagrees(judged: Judged) -> Words:
    return Words(
        "Told again it comes to {verdict}, {points}: run the audit.",
        "Reprise, elle donne {verdict}, {points}\u202f: lancez l’audit.",
    ).format(
        verdict=_VERDICTS[judged.decision.verdict],
        points=sentences.points(judged.decision.points),
    )


def rule(judged: Judged) -> Words:
    """Which version of which rule, and who put it in force."""
    published = judged.published
    agreed = Words("", "")
    if published.approved_by:
        agreed = Words(", agreed by {who}", ", avec l’accord de {who}").format(
            who=published.approved_by
        )
    why = f" “{published.why}”" if published.why else ""
    why_fr = f" «\u202f{published.why}\u202f»" if published.why else ""
    return Words(
        "Rule {code}, version {version}, published on {day} by {by}{agreed}{why}: {state}.",
        "Règle {code}, version {version}, publiée le {day} par {by}{agreed}{why}\u202f: {state}.",
    ).format(
        code=published.rule.code,
        version=published.rule.version,
        day=_day(published.at),
        by=published.by,
        agreed=agreed,
        why=Words(why, why_fr),
        state=_INTACT if published.intact else _ALTERED,
    )


def terms(rule: Rule) -> Iterator[Words]:
    """What it is worth, which budget pays, and what an award has to wait for."""
    yield Words(
        "Worth {award}, paid by budget {budget}.", "Valeur\u202f: {award}, sur le budget {budget}."
    ).format(award=rule.award.told, budget=rule.budget)
    for limit in rule.limits:
        yield _limit(limit)
    if rule.cool_down_days:
        yield Words("At most once in {days} days.", "Une fois en {days} jours au plus.").format(
            days=rule.cool_down_days
        )
    if rule.hold_days:
        yield Words(
            "Held for {days} days before it can be spent.",
            "Retenu {days} jours avant de pouvoir être dépensé.",
        ).format(days=rule.hold_days)
    if rule.needs_approval:
        yield Words("Somebody has to approve each award.", "Chaque gain doit être approuvé.")


def unpaid(rule: Rule, *, shared_out: bool) -> Words:
    """Why an award that was earned wasn't paid. shared_out: the others of its close were."""
    if rule.on.event is None and rule.when_short is Shortage.REFUSE_WHOLE:
        said = Words(
            "Earned, and waiting until budget {budget} can pay everyone.",
            "Acquis, en attente que le budget {budget} puisse payer tout le monde.",
        )
    elif rule.when_short is Shortage.PRO_RATA and shared_out:
        said = Words(
            "Earned, but budget {budget} was shared out, and this share came to nothing.",
            "Acquis, mais le budget {budget} a été réparti, et cette part est nulle.",
        )
    else:
        said = Words(
            "Earned, and waiting until budget {budget} can pay it.",
            "Acquis, en attente que le budget {budget} puisse le payer.",
        )
    return said.format(budget=rule.budget)


def definition(reason: Reason) -> Iterator[Words]:
    """What the figure counts, by which definition, as of when."""
    if reason.figure is None or reason.formula is None:
        return
    yield reason.formula
    as_of = reason.figure.as_of
    if as_of is None:
        return
    yield Words(
        "Definition version {version}, as of {day}.",
        "Version {version} de la définition, arrêté au {day}.",
    ).format(version=reason.figure.definition_version, day=_day(as_of))


def missed(rows: Misses) -> Words:
    """`Counted and missed, 3 lines:`"""
    return _headed(rows, Words("Counted and missed", "Comptées et manquées"))


def kept(rows: Misses) -> Words:
    return _headed(rows, Words("Counted and kept", "Comptées et tenues"))


def way(nearest: Way) -> Words:
    if nearest.reachable:
        return Words("The nearest way to it:", "Le chemin le plus court\u202f:")
    return Words("Out of reach as things stand:", "Hors d’atteinte en l’état\u202f:")


def posted(entry: Posted) -> Words:
    """One entry with its proof: what, where, since when, and whether it is unaltered."""
    return Words(
        "{on}  {points}  {account}{about}: {why} Recorded on {day}, entry {entry}, key {key}, "
        "{state}.",
        "{on}  {points}  {account}{about}\u202f: {why} Noté le {day}, écriture {entry}, "
        "clé {key}, {state}.",
    ).format(
        on=entry.on,
        points=_signed(entry.moved),
        account=_ACCOUNTS.get(entry.account, Words(entry.account, entry.account)),
        about=_about(entry),
        why=entry.why,
        day=_day(entry.recorded_at),
        entry=entry.entry,
        key=entry.key,
        state=_INTACT if entry.intact else _ALTERED,
    )


_ACCOUNTS: dict[str, Words] = {
    AccountKind.WALLET: Words("to spend", "à dépenser"),
    AccountKind.PENDING: Words("pending", "en attente"),
}


def proposed(proposal: Proposed) -> Iterator[Words]:
    """What was proposed to put it right, what became of it, and the facts that changed."""
    yield Words(
        "Proposed on {day} by {by}, {points}: {why}",
        "Proposé le {day} par {by}, {points}\u202f: {why}",
    ).format(
        day=_day(proposal.at),
        by=proposal.by,
        points=_signed(proposal.points),
        why=proposal.why,
    )
    for told in _changes(proposal.changes):
        yield Words("  Since then: {what}", "  Depuis\u202f: {what}").format(what=told)
    yield _outcome(proposal)


def proposed_to_partner(proposal: Proposed) -> Iterator[Words]:
    """What was put right, and the facts that changed: who proposed it is the programme's own."""
    yield proposal.why
    for told in _changes(proposal.changes):
        yield Words("Since then: {what}", "Depuis\u202f: {what}").format(what=told)


def not_for(other: NotFor) -> Words:
    """`Network quality bonus, version 1: Only partners of tier:gold can earn it.`"""
    return Words("{label}, version {n}: {why}", "{label}, version {n}\u202f: {why}").format(
        label=other.rule.label, n=other.rule.version, why=other.why
    )


def _limit(limit: Limit) -> Words:
    parts = []
    if limit.points is not None:
        parts.append(sentences.points(limit.points))
    if limit.times is not None:
        parts.append(Words(f"{limit.times} ×", f"{limit.times} fois"))
    most = Words(" and ".join(part.en for part in parts), " et ".join(part.fr for part in parts))
    per = {
        PeriodKind.MONTH: Words("month", "mois"),
        PeriodKind.QUARTER: Words("quarter", "trimestre"),
        PeriodKind.YEAR: Words("year", "an"),
    }[limit.per]
    return Words("At most {most} per {per}.", "Au plus {most} par {per}.").format(
        most=most, per=per
    )


def _about(entry: Posted) -> Words:
    if entry.settles:
        return Words(", settles {key}", ", solde {key}").format(key=entry.settles)
    if entry.corrects:
        return Words(", corrects {key}", ", corrige {key}").format(key=entry.corrects)
    if entry.held_until:
        return Words(" until {day}", " jusqu’au {day}").format(
            day=sentences.day_text(entry.held_until)
        )
    if entry.needs_approval:
        return Words(", to be approved", ", à approuver")
    return Words("", "")


def _outcome(proposal: Proposed) -> Words:
    if proposal.approved is None or proposal.settled_at is None:
        return Words("  Nobody has settled it yet.", "  Personne ne l’a encore tranchée.")
    text = Words("  Refused on {day} by {by}. {why}", "  Refusée le {day} par {by}. {why}")
    if proposal.settled_why == SUPERSEDED:
        return Words(
            "  Withdrawn on {day}: the facts changed again.",
            "  Retirée le {day}\u202f: les faits ont encore changé.",
        ).format(day=_day(proposal.settled_at))
    if proposal.approved:
        text = Words("  Approved on {day} by {by}. {why}", "  Approuvée le {day} par {by}. {why}")
    told = text.format(
        day=_day(proposal.settled_at), by=proposal.settled_by, why=proposal.settled_why
    )
    return Words(told.en.rstrip(), told.fr.rstrip())


def _changes(changes: Any) -> Iterator[Words]:
    """The facts that changed, as they were noted with the proposal."""
    facts = changes.get("facts", ()) if isinstance(changes, dict) else ()
    for fact in facts:
        yield Words(fact["sentence"]["en"], fact["sentence"]["fr"])
    if facts and (more := changes.get("total", 0) - len(facts)) > 0:
        yield Words(f"… and {more} more", f"… et {more} de plus")


def _headed(rows: Misses, what: Words) -> Words:
    return Words("{what}, {heading}", "{what}, {heading}").format(what=what, heading=rows.heading)


def _signed(points: int) -> Words:
    sign = "+" if points > 0 else ""
    return Words(f"{sign}{number_text(points, 'en')}", f"{sign}{number_text(points, 'fr')}")


def _day(moment: datetime) -> Words:
    return sentences.day_text(moment.date())
