"""The database itself: still of this program's schema, still refusing what it must refuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from partner_cx.database import Base
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection

# What is only ever added to. The database refuses UPDATE and DELETE of these by triggers.
APPEND_ONLY = (
    "revisions",
    "rule_versions",
    "rule_retirements",
    "closings",
    "frozen_scorecards",
    "frozen_partners",
    "events",
    "decisions",
    "transfers",
    "entries",
    "proposals",
    "proposal_outcomes",
    "budget_alerts",
    "journal",
)
WATCHED = (*APPEND_ONLY, "accounts")


def revision(inspection: Inspection, expected: str | None) -> Iterator[Found]:
    """Whether the schema is the one this program works with; `expected` None: nobody said."""
    if expected is None:
        return
    session, present = inspection.session, None
    if sa.inspect(session.connection()).has_table("alembic_version"):
        present = session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if present != expected:
        yield Found("schema_revision", "database", expected, present or "nothing")


def triggers(inspection: Inspection) -> Iterator[Found]:
    """Whether the tables that are only added to still refuse changes."""
    on_sqlite = inspection.session.get_bind().dialect.name == "sqlite"
    missing = _missing_on_sqlite if on_sqlite else _missing_on_postgresql
    for table in APPEND_ONLY:
        inspection.saw("append-only tables")
        for what in missing(inspection, table):
            yield Found("trigger_missing", table, "", what)


def _missing_on_sqlite(inspection: Inspection, table: str) -> Iterator[str]:
    bodies: dict[str, str] = dict(
        inspection.session.execute(
            sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t"),
            {"t": table},
        ).all()
    )
    for act in ("UPDATE", "DELETE"):
        name = f"{table}_refuse_{act.lower()}"
        due = (
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        if name not in bodies:
            yield f"trigger {name} is gone"
        elif " ".join(bodies[name].replace('"', "").split()) != due:
            yield f"trigger {name} does something else"


_BEFORE_UPDATE_DELETE_TRUNCATE = 2 | 8 | 16 | 32  # pg_trigger.tgtype; for each statement


def _missing_on_postgresql(inspection: Inspection, table: str) -> Iterator[str]:
    name = f"{table}_refuse_change"
    found = inspection.session.execute(
        sa.text(
            "SELECT t.tgenabled, t.tgtype, t.tgqual IS NULL, p.proname, p.prosrc "
            "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE t.tgrelid = to_regclass(:table) AND t.tgname = :name"
        ),
        {"table": table, "name": name},
    ).one_or_none()
    if found is None:
        yield f"trigger {name} is gone"
        return
    enabled, acts, always, function, body = found
    if (enabled.decode() if isinstance(enabled, bytes) else enabled) not in ("O", "A"):
        yield f"trigger {name} is disabled"
    raises = f"RAISE EXCEPTION '{table} is append-only'" in body and "IF" not in body.split()
    if acts != _BEFORE_UPDATE_DELETE_TRUNCATE or not always or function != name or not raises:
        yield f"trigger {name} does something else"


def constraints(inspection: Inspection) -> Iterator[Found]:
    """Whether what the database must refuse (a second key, a balance below zero) is still said."""
    inspector = sa.inspect(inspection.session.connection())
    for name in WATCHED:
        present = {
            *(str(each["name"]) for each in inspector.get_unique_constraints(name)),
            *(str(each["name"]) for each in inspector.get_check_constraints(name)),
            *(str(each["name"]) for each in inspector.get_indexes(name) if each["unique"]),
            *(
                _reference(each["constrained_columns"], each["referred_table"])
                for each in inspector.get_foreign_keys(name)
            ),
        }
        for due in sorted(_constraints_of(Base.metadata.tables[name])):
            inspection.saw("constraints")
            if due not in present:
                yield Found("constraint_missing", name, due, "nothing")


def _constraints_of(table: sa.Table) -> Iterator[str]:
    for constraint in table.constraints:
        if isinstance(constraint, sa.ForeignKeyConstraint):
            yield _reference(constraint.column_keys, constraint.referred_table.name)
        elif not isinstance(constraint, sa.PrimaryKeyConstraint):
            yield str(constraint.name)
    yield from (str(index.name) for index in table.indexes if index.unique)


def _reference(columns: Iterable[str], table: str) -> str:
    """A foreign key by what it says: SQLite doesn't tell the name of one that was added later."""
    return f"{', '.join(columns)} → {table}"


def references(inspection: Inspection, *, everywhere: bool) -> Iterator[Found]:
    """Rows that refer to nothing. everywhere: those among the facts, too."""
    names = sorted(Base.metadata.tables) if everywhere else WATCHED
    for name in names:
        table = Base.metadata.tables[name]
        for constraint in sorted(table.foreign_key_constraints, key=lambda each: str(each.name)):
            yield from _dangling(inspection, table, constraint)


def _dangling(
    inspection: Inspection, table: sa.Table, constraint: sa.ForeignKeyConstraint
) -> Iterator[Found]:
    target = constraint.referred_table.alias("referred")
    pairs = [(each.parent, target.c[each.column.name]) for each in constraint.elements]
    key = list(table.primary_key.columns)
    orphans = (
        sa.select(*key, *(here for here, _ in pairs))
        .select_from(table)
        .outerjoin(target, sa.and_(*(here == there for here, there in pairs)))
        .where(pairs[0][1].is_(None), *(here.is_not(None) for here, _ in pairs))
        .order_by(*key)
    )
    inspection.saw("references")
    for row in inspection.stream(orphans):
        numbers = "/".join(str(value) for value in row[: len(key)])
        named = "/".join(str(value) for value in row[len(key) :])
        absent = f"{constraint.referred_table.name} {named}"
        yield Found("reference_to_nothing", f"{table.name} {numbers}", absent)
