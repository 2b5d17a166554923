"""Facts in: batches of rows, through the same intake as files, each row with what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.request_scope import Clock, wiring
from api.v1.asking import Page, Sliced, Spoken
from api.v1.doorway import Doorway
from api.v1.holders import BringsFacts, Holder
from api.v1.once import REPLAYED, Answered, Key, digest_of, once
from api.v1.problems import MEDIA_TYPE, Problem, documented, nearest, wrong_value
from integrations.files.columns import stripped
from integrations.files.importing import kind_named
from partner_cx.database import transact
from partner_cx.kinds import KINDS
from partner_cx.network.people import Person, Role
from partner_cx.network.scopes import Scope
from partner_cx.operations.drafts import Draft
from partner_cx.operations.fields import Manner
from partner_cx.operations.intake import MEND, Desk, Kind, Taken, WholeBatch, take_in
from partner_cx.operations.merging import Outcome
from partner_cx.operations.problems import Problem as RowProblem
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.events.drawing import draw_events

router = APIRouter(prefix="/api/v1", tags=["facts"], route_class=Doorway)

ROWS_MAX = 1_000
DIGITS_MAX = 40  # of a number that is written out
ABOUT_PEOPLE = ("people", "reps")  # kinds that need the scope `people`, too
RUN_THE_PROGRAMME = (Role.MANAGER, Role.ADMIN)

Cell = str | int | Decimal | bool | None
EXAMPLE_ROW = {
    "source_id": "L-1001",
    "order_code": "O-77",
    "partner_code": "R1",
    "ordered_qty": 10,
    "window_end": "2026-05-18",
    "received_qty": 10,
    "received_on": "2026-05-18",
}


class FactsBatch(BaseModel):
    """Some rows of one kind, all with the same columns.

    An empty cell (null) says that there is nothing: it empties what was known. A column that is
    left out says nothing.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    source: str = Field(
        min_length=1,
        max_length=100,
        description="Who sends them: a `source_id` is unique within one.",
        examples=["erp"],
    )
    rows: list[dict[str, Cell]] = Field(
        min_length=1,
        max_length=ROWS_MAX,
        description="Columns as `/facts` lists them.",
        examples=[[EXAMPLE_ROW]],
    )


class RowResult(BaseModel):
    """What became of a row."""

    row: int = Field(description="Its place in the batch, from 0.", examples=[0])
    outcome: Outcome = Field(examples=["taken"])
    field: str | None = Field(default=None, description="What it was refused for.", examples=[None])
    reason: str | None = Field(default=None, examples=[None])
    remedy: str | None = Field(default=None, examples=[None])


class FactsTaken(BaseModel):
    """What became of a batch. All its good rows are in."""

    kind: str = Field(examples=["order-lines"])
    source: str = Field(examples=["erp"])
    import_number: int = Field(examples=[12])
    taken: int = Field(description="New ones.", examples=[1])
    unchanged: int = Field(description="Known, and the same.", examples=[0])
    corrected: int = Field(
        description="Known, and different: what they said before is kept.", examples=[0]
    )
    refused: int = Field(examples=[0])
    rows: list[RowResult]


class FactsRefused(Problem):
    """A batch that nothing could be taken of, row by row."""

    rows: list[RowResult] | None = Field(default=None)


class ToldColumn(BaseModel):
    """A column of a kind."""

    name: str = Field(examples=["window_end"])
    required: bool = Field(examples=[True])
    expected: str = Field(examples=["a day such as 2026-05-31"])


class ToldKind(BaseModel):
    """A kind of fact that can be brought in."""

    kind: str = Field(examples=["order-lines"])
    columns: list[ToldColumn]


_REFUSED_WHOLE: dict[int | str, dict[str, Any]] = {
    422: {
        "description": "A part of the request is missing, unknown or wrong, or every row was "
        "refused: then `rows` says why, row by row.",
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/FactsRefused"},
                "example": {
                    "type": "about:blank",
                    "title": HTTPStatus.UNPROCESSABLE_ENTITY.phrase,
                    "status": 422,
                    "detail": "None of the rows can be used.",
                    "rows": [
                        {
                            "row": 0,
                            "outcome": "refused",
                            "field": "partner_code",
                            "reason": "No partner has this code.",
                            "remedy": "Import the partner first, or mend the code.",
                        }
                    ],
                },
            }
        },
    }
}
_REPLAY: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            REPLAYED: {
                "description": "`true` where this was answered before, under the same key.",
                "schema": {"type": "string"},
            }
        }
    }
}


@router.get("/facts", responses=documented())
def kinds(_holder: BringsFacts, sliced: Sliced, language: Spoken) -> Page[ToldKind]:
    """The kinds of fact there are, with their columns."""
    told = [
        ToldKind(
            kind=kind.name,
            columns=[
                ToldColumn(
                    name=each.name, required=each.required, expected=each.expected.in_(language)
                )
                for each in kind.fields
            ],
        )
        for _, kind in sorted(KINDS.items())
    ]
    return sliced.of(told, lambda each: (each.kind,), str)


@router.post(
    "/facts/{kind}",
    response_model=FactsTaken,
    responses={**documented(404, 409, body=True), **_REFUSED_WHOLE, **_REPLAY},
)
def receive(
    request: Request,
    now: Clock,
    holder: BringsFacts,
    language: Spoken,
    kind: Annotated[
        str,
        Path(
            max_length=40,
            examples=["order-lines"],
            json_schema_extra={"enum": sorted(KINDS)},
        ),
    ],
    batch: FactsBatch,
    key: Key = None,
) -> Response:
    """Take facts in. Good rows are taken, bad ones told with what to mend."""
    spec = _kind(holder, kind)
    source, table = _source(batch.source), _table(spec, batch.rows)
    house = wiring(request)
    intake = _Intake(spec, source, table, holder, house.settings, now, language)
    work = partial(
        once,
        token_id=holder.token_id,
        key=key,
        digest=digest_of(request),
        now=now,
        work=intake.carried_out,
    )
    answer = transact(house.engine, work)
    # Also of what was answered before: that time it may have been cut off here.
    draw_events(house.engine, now=now, settings=house.settings)
    return _response(answer)


@dataclass(frozen=True)
class _Intake:
    """A batch on its way in."""

    kind: Kind
    source: str
    table: pa.Table
    holder: Holder
    settings: Settings
    now: datetime
    language: str

    def carried_out(self, session: Session) -> Answered:
        """Take the rows in, and say what became of each. The caller commits."""
        outcomes: dict[int, RowResult] = {}

        def became(lines: np.ndarray, outcome: Outcome) -> None:
            for line in lines.tolist():
                outcomes[line] = RowResult(row=line, outcome=outcome)

        def refused(problems: Sequence[RowProblem], _batch: object) -> None:
            for each in problems:
                outcomes[each.line] = self._refused(each)

        lines = np.arange(self.table.num_rows, dtype=np.int64)
        taken = take_in(
            session,
            self.kind,
            [WholeBatch(self.table, lines, self.table)],
            source=self.source,
            file_name=f"API: {self.holder.name}",
            manner=Manner(self.settings.time_zone, self.settings.currency),
            settings=self.settings,
            now=self.now,
            on_problems=refused,
            on_outcomes=became,
        )
        return self._answer(taken, [outcomes[line] for line in sorted(outcomes)])

    def _answer(self, taken: Taken, rows: list[RowResult]) -> Answered:
        assert len(rows) == self.table.num_rows, "each row became something"
        told = FactsTaken(
            kind=self.kind.name,
            source=self.source,
            import_number=taken.import_id,
            taken=taken.taken,
            unchanged=taken.unchanged,
            corrected=taken.corrected,
            refused=taken.refused,
            rows=rows,
        )
        if taken.refused < len(rows):
            return Answered(HTTPStatus.OK, told.model_dump_json())
        problem = FactsRefused(
            type="about:blank",
            title=HTTPStatus.UNPROCESSABLE_ENTITY.phrase,
            status=HTTPStatus.UNPROCESSABLE_ENTITY.value,
            detail=_NOTHING.in_(self.language),
            rows=rows,
        )
        body = problem.model_dump_json(exclude={"errors"})
        return Answered(HTTPStatus.UNPROCESSABLE_ENTITY, body)

    def _refused(self, problem: RowProblem) -> RowResult:
        remedy = _MEND if problem.remedy == MEND else problem.remedy
        return RowResult(
            row=problem.line,
            outcome=Outcome.REFUSED,
            field=problem.column,
            reason=problem.reason.in_(self.language),
            remedy=remedy.in_(self.language),
        )


_NOTHING = Words("None of the rows can be used.", "Aucune des lignes n’est utilisable.")
_MEND = Words("Mend it and send the row again.", "Corrigez-la et renvoyez la ligne.")


def _response(answer: Answered) -> Response:
    media = "application/json" if answer.status == HTTPStatus.OK else MEDIA_TYPE
    headers = {REPLAYED: "true"} if answer.replayed else {}
    return Response(answer.body, answer.status, headers, media_type=media)


# --- What may come in -------------------------------------------------------------------------


def _kind(holder: Holder, name: str) -> Kind:
    """A kind by its name, as this token may bring it in."""
    spec = kind_named(name)
    if name in ABOUT_PEOPLE:
        holder.require(Scope.PEOPLE)
    return replace(spec, finish=_but_no_managers) if name == "people" else spec


def _but_no_managers(draft: Draft, desk: Desk) -> None:
    """A token makes nobody a manager, and changes none: whoever holds it could sign in as one."""
    KINDS["people"].finish(draft, desk)
    emails, roles = draft["email"].to_pylist(), draft["role"].to_pylist()
    known = sa.select(Person.email).where(
        Person.role.in_(RUN_THE_PROGRAMME), Person.email.in_([each for each in emails if each])
    )
    theirs = set(desk.session.scalars(known))
    wanted = [role in RUN_THE_PROGRAMME for role in roles]
    owned = [email in theirs for email in emails]
    draft.refuse(np.array(wanted) | np.array(owned), "role", _BY_HAND, _ASK_SOMEBODY)


_BY_HAND = Words(
    "Managers and administrators aren’t made or changed over the API.",
    "Responsables et administrateurs ne sont ni créés ni modifiés par l’API.",
)
_ASK_SOMEBODY = Words(
    "Leave the row out; an administrator changes them by hand.",
    "Retirez la ligne\u202f; un administrateur les modifie à la main.",
)


def _source(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise wrong_value("body.source", "A source needs a name that people can read.", "As erp.")
    return name.strip()


def _table(spec: Kind, rows: Sequence[Mapping[str, Cell]]) -> pa.Table:
    """The rows as a file would have them. Raises for columns that aren't the kind's, or missing."""
    names = list(rows[0])
    for place, row in enumerate(rows):
        _refuse_unknown(spec, row, f"body.rows.{place}")
        if row.keys() != rows[0].keys():
            odd = min(row.keys() ^ rows[0].keys())
            raise wrong_value(
                f"body.rows.{place}",
                f"“{odd}” stands in some rows and not in others.",
                "Give all rows the same columns: null says that there is nothing.",
            )
    missing = [name for name in spec.required if name not in names]
    if missing:
        raise wrong_value(
            "body.rows.0", f"The column {missing[0]} is missing.", "Each row needs it."
        )
    columns = {name: pa.array([_text(row[name]) for row in rows], pa.string()) for name in names}
    return pa.table({name: stripped(pa.chunked_array([each])) for name, each in columns.items()})


def _refuse_unknown(spec: Kind, row: Mapping[str, Cell], place: str) -> None:
    known = (*spec.required, *spec.optional)
    for name in row:
        if name not in known:
            field = f"{place}.{name[:60]}"
            raise wrong_value(field, f"This isn't a column of {spec.name}.", nearest(name, known))


def _text(cell: Cell) -> str | None:
    """A cell as a file would hold it."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return f"{cell:f}" if abs(cell.adjusted()) < DIGITS_MAX else str(cell)
    return None if cell is None else str(cell)
