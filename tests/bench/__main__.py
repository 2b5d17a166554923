"""Runs the benchmarks and prints their table: `python tests/bench --size 0.1`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[2])  # a folder that is run stands first, by itself

from tests.bench import (  # noqa: E402, F401  put their sections into the report
    audits,
    backtests,
    effects,
    odoo_sync,
    pages,
    product,
    rules_close,
    rules_events,
    sections,
)
from tests.bench.report import (  # noqa: E402
    SECTIONS,
    Bench,
    lines_of,
    markdown_heading,
    markdown_line,
)
from tests.bench.timing import machine  # noqa: E402
from tests.harness import postgres  # noqa: E402

DATABASES = ("sqlite", "postgresql")


def main() -> None:
    told = _parser().parse_args()
    with _folder(told.folder) as folder, _postgresql(told) as url:
        bench = Bench(told.size, folder, told.databases, url)
        print(f"{machine(postgresql_url=url)}; size {told.size:g}\n")
        print(markdown_heading(), flush=True)
        for line in lines_of(bench, told.only or SECTIONS):
            print(markdown_line(line), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tests/bench", description=__doc__)
    parser.add_argument(
        "--size",
        type=_share,
        default=1.0,
        metavar="SHARE",
        help="share of the full size: 1.0 (the default), 0.1, or what you like in between",
    )
    parser.add_argument(
        "--databases",
        type=_databases,
        default=DATABASES,
        metavar="NAMES",
        help=f"with commas between (default: {','.join(DATABASES)})",
    )
    parser.add_argument(
        "--postgresql-url",
        metavar="URL",
        help="a PostgreSQL database to measure in (default: a private server, made for the run)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="where files and databases go, and stay (default: a temporary folder)",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=list(SECTIONS),
        metavar="SECTION",
        help=f"run this section; may be repeated: {', '.join(SECTIONS)}",
    )
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share: more than 0, at most 1")
    return share


def _databases(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in DATABASES:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(DATABASES)}")
    return names


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        named.mkdir(parents=True, exist_ok=True)
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="partner-cx-bench-") as folder:
        yield Path(folder)


@contextmanager
def _postgresql(told: argparse.Namespace) -> Iterator[str | None]:
    """The server to measure on, as durable as one in production; None when none is asked for."""
    if "postgresql" not in told.databases:
        yield None
    elif told.postgresql_url:
        yield told.postgresql_url
    else:
        cluster = postgres.start(durable=True)
        try:
            yield cluster.address
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
