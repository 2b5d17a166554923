"""Sources: where facts come from, how fresh each is, and what became of each import."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from api.pages.admin.lists import Number
from api.paging import ROWS, PageAsked, offset, one_more
from api.render import page, translator
from api.request_scope import Clock, Language, Reading
from api.sign_in import Administers
from integrations.files import refused
from integrations.files.refused import RefusedRows
from integrations.files.uploads import Upload
from partner_cx.errors import NotFound
from partner_cx.operations.imports import Import, Source

router = APIRouter()

LOOKED_AT = 12  # imports of a source and kind, for how often it usually comes
OFTEN_ENOUGH = 4  # imports from which on there is a usual
SLACK = timedelta(hours=12)


@dataclass(frozen=True)
class Feed:
    """What comes from a source of one kind.

    usually: how far its imports usually lie apart; None where too few came to say.
    """

    source: str
    kind: str
    last_at: datetime
    last_id: int
    imports: int
    rows: int
    refused: int
    usually: timedelta | None

    def is_late(self, now: datetime) -> bool:
        """Whether it hasn't come for twice as long as usual."""
        return self.usually is not None and now - self.last_at > 2 * self.usually + SLACK


@router.get("/admin/sources")
def sources(
    request: Request,
    session: Reading,
    language: Language,
    now: Clock,
    _viewer: Administers,
    page_number: PageAsked = 1,
    show: Annotated[str, Query(max_length=20)] = "sources",
) -> Response:
    """Every source with its kinds; `show=imports`: each import, the latest first."""
    found, say = feeds(session), translator(language)
    lists = {"sources": say("Sources"), "imports": say("Imports")}
    shown = show if show in lists else "sources"
    imports = _imports(session, page_number) if shown == "imports" else []
    return page(
        request,
        "admin/sources.html",
        shown=shown,
        ways=[
            {"href": f"?show={code}", "label": name, "current": code == shown}
            for code, name in lists.items()
        ],
        feeds=[_told(each, now) for each in found],
        late=sum(each.is_late(now) for each in found),
        imports=one_more(request, imports, page_number),
    )


@router.get("/admin/sources/imports/{number}")
def import_(
    request: Request,
    number: Number,
    session: Reading,
    language: Language,
    _viewer: Administers,
    page_number: PageAsked = 1,
) -> Response:
    """One import: what became of its rows, and what is wrong with those that were refused."""
    imported, source = _import(session, number)
    kept = session.get(RefusedRows, number)
    rows = refused.rows_of(kept, first=offset(page_number), most=ROWS + 1) if kept else []
    upload = session.scalar(sa.select(Upload.id).where(Upload.import_id == number))
    return page(
        request,
        "admin/import.html",
        imported=imported,
        source=source,
        kept=len(kept.rows) if kept else 0,
        problems=one_more(request, told_problems(rows, language), page_number),
        upload_href=f"/admin/uploads/{upload}" if upload else "",
        csv_href=f"/admin/sources/imports/{number}/refused.csv",
    )


@router.get("/admin/sources/imports/{number}/refused.csv")
def refused_csv(
    number: Number, session: Reading, language: Language, _viewer: Administers
) -> Response:
    """The refused rows as they stood, with what is wrong with each, to be mended and handed in."""
    imported, _ = _import(session, number)
    kept = session.get(RefusedRows, number)
    if kept is None:
        raise NotFound("No refused rows are kept of this import.")
    lines = ["\ufeff", *refused.as_csv(kept, language)]
    headers = {
        "Content-Disposition": f'attachment; filename="{imported.kind}-{number}.problems.csv"'
    }
    content = (line.encode("utf-8", "replace") for line in lines)
    return StreamingResponse(content, media_type="text/csv; charset=utf-8", headers=headers)


def feeds(session: Session) -> list[Feed]:
    """What comes from where, by source and kind: two questions, however much there is."""
    totals = session.execute(
        sa.select(
            Import.source,
            Import.kind,
            sa.func.count(),
            sa.func.sum(Import.taken + Import.corrected),
            sa.func.max(Import.id),
        ).group_by(Import.source, Import.kind)
    ).all()
    place = sa.func.row_number().over(
        partition_by=(Import.source, Import.kind), order_by=Import.id.desc()
    )
    newest = sa.select(
        Import.source, Import.kind, Import.id, Import.imported_at, Import.refused, place.label("at")
    ).subquery()
    lately = session.execute(
        sa.select(newest, Source.code)
        .join(Source, Source.id == newest.c.source)
        .where(newest.c.at <= LOOKED_AT)
        .order_by(newest.c.id.desc())
    )
    by_feed: defaultdict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in lately:
        by_feed[row.source, row.kind].append(row)
    told = [
        _feed(by_feed[source, kind], count, int(rows or 0))
        for source, kind, count, rows, _ in totals
    ]
    return sorted(told, key=lambda each: (each.source, each.kind))


def _feed(rows: list[Any], count: int, total: int) -> Feed:
    newest = rows[0]
    moments = [row.imported_at for row in rows]
    gaps = [late - early for late, early in pairwise(moments)]
    often = len(rows) >= OFTEN_ENOUGH
    usual = timedelta(seconds=median(gap.total_seconds() for gap in gaps)) if often else None
    return Feed(
        source=newest.code,
        kind=newest.kind,
        last_at=newest.imported_at,
        last_id=newest.id,
        imports=count,
        rows=total,
        refused=newest.refused,
        usually=usual or None,
    )


def _told(feed: Feed, now: datetime) -> dict[str, Any]:
    return {
        "source": feed.source,
        "kind": feed.kind,
        "last_at": feed.last_at,
        "imports": feed.imports,
        "rows": feed.rows,
        "refused": feed.refused,
        "is_late": feed.is_late(now),
        "usually": _days(feed.usually),
        "href": f"/admin/sources/imports/{feed.last_id}",
    }


def _days(gap: timedelta | None) -> dict[str, int] | None:
    """How far apart, in the largest unit that fits."""
    if gap is None:
        return None
    hours = round(gap.total_seconds() / 3600)
    if hours < 1:
        return {"minutes": max(1, round(gap.total_seconds() / 60))}
    return {"hours": hours} if hours < 48 else {"days": round(hours / 24)}


def _imports(session: Session, number: int) -> list[dict[str, Any]]:
    newest = (
        sa.select(Import, Source.code)
        .join(Source, Source.id == Import.source)
        .order_by(Import.id.desc())
        .offset(offset(number))
        .limit(ROWS + 1)
    )
    return [
        {
            "at": each.imported_at,
            "kind": each.kind,
            "source": source,
            "file": each.file_name,
            "taken": each.taken,
            "unchanged": each.unchanged,
            "corrected": each.corrected,
            "refused": each.refused,
            "href": f"/admin/sources/imports/{each.id}",
        }
        for each, source in session.execute(newest)
    ]


def _import(session: Session, number: int) -> tuple[Import, str]:
    found = session.execute(
        sa.select(Import, Source.code)
        .join(Source, Source.id == Import.source)
        .where(Import.id == number)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such import.", remedy="The list of sources has all there are.")
    return found[0], found[1]


def told_problems(rows: list[refused.RefusedRow], language: str) -> list[dict[str, Any]]:
    """A line for each thing that is wrong, in the order of the file."""
    return [
        {
            "line": row.line,
            "column": problem.column or "",
            "value": (problem.value or "")[:200],
            "reason": problem.reason.in_(language),
            "remedy": problem.remedy.in_(language),
        }
        for row in rows
        for problem in row.problems[:1]
    ]
