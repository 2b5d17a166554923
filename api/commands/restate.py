"""Restating: what a closed period would come to today, what is proposed, and who decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.options import Database, Form, In, Now, PeriodText, filled
from api.commands.rule_files import By, who
from api.printing import Format, Row, Shown, print_rows, say

if TYPE_CHECKING:
    from rewards.restating import Difference, Restatement
    from rewards.restating.approving import Listed
    from rewards.restating.known_now import Changed

# `record` says what a row is: a figure that changed, a decision that would come out differently,
# or a fact that such a decision rests on. `then_` is what was frozen.
COLUMNS = (
    *("record", "period", "level", "subject", "kpi", "then_value", "then_hits", "then_of"),
    *("then_n", "then_state", "value", "hits", "of", "n", "state", "rule", "points"),
    *("proposal", "status", "kind", "source", "source_id", "file", "told_at", "why"),
)
FIGURES = ("level", "subject", "kpi", "then_value", "value", "then_state", "state")
PROPOSALS = (
    *("id", "period", "rule", "partner", "points", "state", "carried"),
    *("proposed_at", "proposed_by", "settled_at", "settled_by", "why"),
)
PROPOSALS_IN_TABLE = ("id", "period", "rule", "partner", "points", "state", "carried")
FIGURES_SHOWN = 40
FACTS_SHOWN = 5
SAID_ALREADY = 2  # facts that a proposal's reason names by itself

app = typer.Typer(help="See what restating proposed, and decide about it.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(metavar="ID", help="The proposal's number.", min=1)]


def restate(
    period: PeriodText,
    by: By = None,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Compare a closed period with what is known now, and propose what would put it right."""
    from api.wiring import moment, open_house
    from partner_cx.periods import Period
    from rewards import restating

    chosen = Period.parse(period)
    with open_house(database) as house:
        told = restating.restate(
            house.engine,
            chosen,
            now=moment(now, house.settings),
            by=who(by),
            settings=house.settings,
        )
    spoken = language or house.language
    if form is Format.TABLE:
        _tell(told, spoken)
    else:
        print_rows(_records(told, spoken), COLUMNS, form=form)
    for sentence in told.sentences:
        say(sentence.in_(spoken))


@app.command("list")
def list_(
    period: Annotated[
        str | None,
        typer.Option(metavar="PERIOD", help="Of one closed period only.", callback=filled),
    ] = None,
    open_only: Annotated[
        bool, typer.Option("--open", help="Only those to decide about or still to collect.")
    ] = False,
    database: Database = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """List what was proposed, what became of it, and what is carried forward."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from partner_cx.periods import Period
    from rewards.restating.approving import proposals

    chosen = Period.parse(period) if period else None
    with open_house(database) as house, reading(house.engine) as session:
        spoken = language or house.language
        rows = [
            _listed(each, spoken) for each in proposals(session, period=chosen, open_only=open_only)
        ]
    print_rows(rows, PROPOSALS, form=form, in_table=PROPOSALS_IN_TABLE, language=spoken)


@app.command()
def show(number: Number, database: Database = None, language: In = None) -> None:
    """Say why something is proposed: the figures and the facts that changed."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from rewards.restating.approving import proposal_of

    with open_house(database) as house, reading(house.engine) as session:
        proposal = proposal_of(session, number)
        spoken = language or house.language
        typer.echo(proposal.why.in_(spoken))
        facts = proposal.changes["facts"]
        for fact in facts if len(facts) > SAID_ALREADY else ():
            typer.echo(f"  {fact['sentence'][spoken]}")


@app.command()
def approve(number: Number, by: By = None, database: Database = None, now: Now = None) -> None:
    """Approve a proposal: the compensating entry is posted beside the original. Once."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from rewards.restating import approving

    with open_house(database) as house:
        at = moment(now, house.settings)
        day = at.astimezone(house.settings.zone).date()
        sentence = transact(
            house.engine,
            lambda session: approving.told(
                session, approving.approve(session, number, by=who(by), now=at, on=day)
            ),
        )
        say(sentence.in_(house.language))


@app.command()
def refuse(
    number: Number,
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why it is refused.")],
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Refuse a proposal: what was given stays as it is."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from rewards.restating import approving

    with open_house(database) as house:
        at = moment(now, house.settings)
        sentence = transact(
            house.engine,
            lambda session: approving.told(
                session, approving.refuse(session, number, by=who(by), why=why, now=at)
            ),
        )
        say(sentence.in_(house.language))


# --- For people -----------------------------------------------------------------------------------


def _tell(told: Restatement, language: str) -> None:
    figures = sorted(told.figures, key=lambda each: _LEVELS.index(each.level))
    if figures:
        rows = [_figure(told, each, language) for each in figures[:FIGURES_SHOWN]]
        print_rows(rows, FIGURES, form=Format.TABLE, language=language)
        if len(figures) > FIGURES_SHOWN:
            typer.echo("…")
    for difference in told.differences:
        typer.echo("")
        for line in _story(difference, language):
            typer.echo(line)


_LEVELS = ("partner", "group", "network")


def _story(difference: Difference, language: str) -> Iterator[str]:
    from rewards.restating.changed_facts import more

    head = f"[{difference.proposal_id}] " if difference.proposal_id else ""
    yield f"{head}{difference.partner_code}, {difference.sentence.in_(language)}"
    if difference.objection:
        yield f"    ({difference.objection.in_(language)})"
    for fact in difference.facts[:FACTS_SHOWN]:
        yield f"    {fact.in_(language)}"
    if rest := difference.changes.total - min(FACTS_SHOWN, len(difference.facts)):
        yield f"    {more(rest).in_(language)}"


# --- For programs ---------------------------------------------------------------------------------


def _records(told: Restatement, language: str) -> Iterator[Row]:
    for figure in told.figures:
        yield {"record": "figure", **_figure(told, figure, language)}
    for difference in told.differences:
        own: dict[str, Any] = {
            "period": str(told.period),
            "subject": difference.partner_code,
            "rule": difference.rule.code,
            "proposal": difference.proposal_id,
        }
        yield {
            "record": "decision",
            **own,
            "points": difference.points,
            "status": difference.status,
            "why": (difference.objection or difference.sentence).in_(language),
        }
        pairs = zip(difference.changes.facts, difference.facts, strict=True)
        for change, sentence in pairs:
            yield {
                "record": "fact",
                **own,
                "kind": change.kind,
                "source": change.source,
                "source_id": change.source_id,
                "file": change.file_name,
                "told_at": change.told_at,
                "why": sentence.in_(language),
            }


def _figure(told: Restatement, changed: Changed, language: str) -> dict[str, Any]:
    from api import telling
    from api.headings import state_word

    row: dict[str, Any] = {
        "period": str(told.period),
        "level": changed.level,
        "subject": changed.subject,
        "kpi": changed.kpi,
    }
    for prefix, figure in (("then_", changed.then), ("", changed.now)):
        hits, of = telling.sums(figure)
        state = figure.state and Shown(figure.state.value, state_word(figure.state.value, language))
        row |= {
            f"{prefix}value": Shown(figure.value, telling.value(figure, language)),
            f"{prefix}hits": hits,
            f"{prefix}of": of,
            f"{prefix}n": figure.n,
            f"{prefix}state": state,
        }
    return row


def _listed(each: Listed, language: str) -> Row:
    proposal, outcome = each.proposal, each.outcome
    return {
        "id": proposal.id,
        "period": each.period,
        "rule": each.rule_code,
        "partner": each.partner_code,
        "points": proposal.points,
        "state": Shown(each.state, each.state_words.in_(language)),
        "carried": each.carried_points or None,
        "proposed_at": proposal.proposed_at,
        "proposed_by": proposal.proposed_by,
        "settled_at": outcome.settled_at if outcome else None,
        "settled_by": outcome.settled_by if outcome else None,
        "why": (outcome and outcome.why) or proposal.why.in_(language),
    }
