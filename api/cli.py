"""The command line: one door to everything, for people and for scripts.

Data goes to stdout and everything else to stderr. The exit status is 0 when all is done, 1 when
it is done with problems (rows refused, awards unfunded), 2 when it was refused and nothing has
changed, 3 when it failed by our own mistake.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from api import refusals
from api.commands import (
    audit,
    budgets,
    closing,
    database,
    demo,
    effects,
    events,
    explain,
    facts,
    holds,
    letters,
    links,
    measures,
    odoo,
    restate,
    rules,
    serving,
    statements,
    tokens,
    webhooks,
    working,
)
from api.commands.options import Database


class Group(TyperGroup):
    """Commands, of which one must be named: without one, the usage goes to stderr."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        help_is_an_error = not args and self.no_args_is_help
        with contextlib.redirect_stdout(sys.stderr if help_is_an_error else sys.stdout):
            return super().parse_args(ctx, args)


class Commands(Group):
    """Commands whose refusals are told in a sentence, never in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except Exception as error:
            refusal = refusals.explain(error)
            if refusal is None:
                raise
            typer.echo(f"partner-cx: {refusal}", err=True)
            raise typer.Exit(2) from None
        return done


app = typer.Typer(
    cls=Commands,
    help="Listens to a partner network, measures it, and rewards what it does well.",
    epilog="Exit status: 0 done, 1 done with problems, 2 refused and nothing changed, "
    "3 failed by a mistake of Partner CX.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def before_any_command(ctx: typer.Context, database: Database = None) -> None:
    """`--database` may stand before the command as well as after it."""
    if database is not None:
        ctx.default_map = _for_every_command(ctx.command, database)


def _for_every_command(command: Any, database: str) -> dict[str, Any]:
    below = getattr(command, "commands", {})
    return {
        "database": database,
        **{name: _for_every_command(each, database) for name, each in below.items()},
    }


app.command("demo")(demo.demo)
app.command("migrate")(database.migrate)
app.command("import")(facts.import_)
app.command("kinds")(facts.kinds)
app.command("kpis")(measures.kpis)
app.command("measure")(measures.measure)
app.command("scorecard")(measures.scorecard)
app.add_typer(rules.app, name="rules", cls=Group)
app.add_typer(budgets.app, name="budgets", cls=Group)
app.add_typer(events.app, name="events", cls=Group)
app.add_typer(odoo.app, name="odoo", cls=Group)
app.add_typer(holds.app, name="holds", cls=Group)
app.command("close")(closing.close)
app.command("restate")(restate.restate)
app.add_typer(restate.app, name="proposals", cls=Group)
app.command("statement")(statements.statement)
app.command("explain")(explain.explain)
app.command("audit")(audit.audit)
app.add_typer(audit.totals, name="totals", cls=Group)
app.add_typer(webhooks.app, name="webhooks", cls=Group)
app.add_typer(tokens.app, name="tokens", cls=Group)
app.command("serve")(serving.serve)
app.command("work")(working.work)
app.command("schedule")(working.schedule)
app.add_typer(effects.app, name="effects", cls=Group)
app.command("link")(links.link)
app.add_typer(letters.app, name="letters", cls=Group)


def main() -> None:
    """What `partner-cx` runs."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a stream that was put in its place
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        app(prog_name="partner-cx")
    except Exception as error:  # noqa: BLE001 - the edge: whatever it was, it is told in words
        _own_up(error)
        sys.exit(3)


def _own_up(mistake: Exception) -> None:
    """Say that we failed, last; the log, on stderr too, has the details."""
    import structlog  # noqa: PLC0415 - `--help` needs none of these

    from api.wiring import set_up_logs  # noqa: PLC0415
    from partner_cx.settings import Settings  # noqa: PLC0415

    if not structlog.is_configured():  # the settings weren't read yet
        set_up_logs(Settings())
    structlog.get_logger().error("command failed", exc_info=mistake)
    typer.echo(
        f"partner-cx: This is our mistake, not yours ({type(mistake).__name__}). "
        "Show the lines above to those who look after Partner CX.",
        err=True,
    )


if __name__ == "__main__":
    main()
