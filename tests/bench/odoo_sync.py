"""A first sync with an Odoo of a million order lines, beside what nobody can do without.

The yardstick is the sum of two: the processor's seconds that the stand-in needs to answer those
very requests, and an import of the very rows that the sync told, from files. What the sync has
beyond them is asking, reading answers, putting orders, lines and moves together, and its smaller
portions.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from partner_cx.database import open_database
from tests.bench.product import PARTNER_CX, fresh_database
from tests.bench.report import Bench, Line, as_seconds, at_most, section
from tests.bench.timing import CommandRun, run_command

LINES = 1_000_000  # at full size
VERSION = 19
PEAK_BYTES = 500 * 10**6
MICRO = 1_000_000
PARTNERS = "SELECT code, name, kind FROM partners"
ORDER_LINES = f"""
    SELECT l.source_id, order_code, p.code AS partner_code, ordered / {MICRO} AS ordered_qty,
        window_end, status, product_code
    FROM order_lines l JOIN partners p ON p.id = l.partner_id
"""
RECEIPTS = f"""
    SELECT r.source_id, l.source_id AS order_line_source_id, r.received_on,
        quantity / {MICRO} AS qty
    FROM receipts r JOIN order_lines l ON l.id = r.order_line_id
"""


@section("odoo-sync")
def odoo_sync(bench: Bench) -> Iterator[Line]:
    lines = max(1_000, round(LINES * bench.share))
    for database in bench.databases:
        url = fresh_database(bench, database, "odoo_sync")
        with _standing_in(lines) as (settings, serving):
            first = _run("odoo", "sync", url=url, settings=settings)
            served = serving()
        files = _written(url, bench.folder)
        other = fresh_database(bench, database, "odoo_sync_files")
        imports = [_run("import", kind, file, url=other) for kind, file in files]
        yield at_most(
            f"A first sync of {lines:,} order lines, {database}",
            first.seconds,
            served + sum(run.seconds for run in imports),
            aim=1.5,
            against="answering and importing the same rows",
        )
        yield at_most(
            f"A core's time for that, Odoo's included, {database}",
            first.processor_seconds + served,
            served + sum(run.processor_seconds for run in imports),
            aim=1.5,
            against=f"answering {as_seconds(served)}, and importing",
        )
        peak = f"{first.peak_megabytes:,.0f} MB"
        kept = first.peak_bytes <= PEAK_BYTES
        yield Line(f"Peak memory of that, {database}", peak, aim="≤ 500 MB", reached=kept)


@contextmanager
def _standing_in(lines: int) -> Iterator[tuple[dict[str, str], Callable[[], float]]]:
    """A stand-in in a process of its own: the settings to find it, and its processor's seconds."""
    command = [sys.executable, "-m", "integrations.stand_ins.odoo", "--lines", str(lines)]
    process = subprocess.Popen(
        [*command, "--version", str(VERSION), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(5)]
    settings = dict(found for line in told for found in re.findall(r"(PARTNER_CX_\w+)=(\S+)", line))
    began = _processor_seconds(process.pid)
    try:
        yield settings, lambda: _processor_seconds(process.pid) - began
    finally:
        process.kill()
        process.wait()


def _processor_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _run(*arguments: str | Path, url: str, settings: dict[str, str] | None = None) -> CommandRun:
    environment = {"PARTNER_CX_DATABASE_URL": url, **(settings or {})}
    run = run_command([PARTNER_CX, *arguments], environment=environment)
    if run.status != 0:
        raise RuntimeError(f"partner-cx {' '.join(map(str, arguments))}: {run.complaints}")
    return run


def _written(url: str, folder: Path) -> Sequence[tuple[str, Path]]:
    """What the sync told, as files."""
    files = []
    engine = open_database(url)
    queries = {"partners": PARTNERS, "order-lines": ORDER_LINES, "receipts": RECEIPTS}
    for kind, query in queries.items():
        file = folder / f"synced-{kind}.csv"
        with engine.connect() as connection, file.open("w", newline="") as out:
            rows = connection.execution_options(yield_per=10_000).execute(sa.text(query))
            writer = csv.writer(out)
            writer.writerow(rows.keys())
            writer.writerows(rows)
        files.append((kind, file))
    engine.dispose()
    return files
