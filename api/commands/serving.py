"""The web service, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database
from api.printing import say

if TYPE_CHECKING:
    from socket import socket

    from uvicorn import Server

    from api.wiring import House

BACKLOG = 2048  # how many may wait to be let in, as many as the server itself would let

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    work: Annotated[
        bool,
        typer.Option("--work/--no-work", help="Carry out effects and keep the schedule, too."),
    ] = True,
    processes: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=64, help="How many processes serve; several on PostgreSQL only."
        ),
    ] = 1,
    database: Database = None,
) -> None:
    """Serve the pages, and work beside. `partner-cx link EMAIL` prints a link to sign in with."""
    from api.wiring import open_house

    with open_house(database) as house:
        if processes > 1:
            _serve_by_several(house, host, port, processes, work=work)
        else:
            serve_pages(house, host, port, work=work)


def serve_pages(house: House, host: str, port: int, *, work: bool = False) -> None:
    """Serve until stopped. Raises Conflict when the address is taken or isn't this machine's.

    work: carry out effects and keep the schedule meanwhile, in threads of this process.
    """
    from contextlib import nullcontext

    import uvicorn

    from api.app import make_app
    from api.commands.working import crew_at_work

    with _listening(host, port) as listener:
        config = uvicorn.Config(
            make_app(house.engine, house.settings), log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        with crew_at_work(house) if work else nullcontext() as told, _ended_by_signals(server):
            if told is not None and told.is_set():
                return
            say(f"Serving on http://{host}:{listener.getsockname()[1]} – stop with Ctrl-C.")
            server.run(sockets=[listener])


def _serve_by_several(house: House, host: str, port: int, processes: int, *, work: bool) -> None:
    """Serve by processes of their own, which this one starts, watches and ends; it works beside.

    Raises Invalid on SQLite, which one process serves.
    """
    import os
    from contextlib import nullcontext

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from api.commands.working import crew_at_work
    from partner_cx.errors import Invalid

    if house.engine.dialect.name == "sqlite":
        raise Invalid(
            "One process serves an SQLite file.",
            remedy="Leave --processes out, or use PostgreSQL.",
        )
    os.environ["PARTNER_CX_DATABASE_URL"] = house.settings.database_url  # the processes read it
    with _listening(host, port) as listener:
        config = uvicorn.Config(
            "api.served:by_settings",
            factory=True,
            workers=processes,
            log_config=None,
            access_log=False,
        )
        with crew_at_work(house) if work else nullcontext():
            say(
                f"Serving on http://{host}:{listener.getsockname()[1]} by {processes} processes – "
                "stop with Ctrl-C."
            )
            Multiprocess(config, sockets=[listener]).run()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket]:
    """A socket that listens at an address, so that whoever goes there at once is only kept waiting.

    Raises Conflict when the address is taken or isn't this machine's.
    """
    import socket as sockets

    from partner_cx.errors import Conflict

    family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
    with sockets.socket(family, sockets.SOCK_STREAM) as listener:
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError as error:
            raise Conflict(
                f"Can't listen on {host}:{port}: {(error.strerror or str(error)).lower()}.",
                remedy="Stop what is listening there, or choose another --port.",
            ) from None
        yield listener


@contextmanager
def _ended_by_signals(server: Server) -> Iterator[None]:
    """End the server by a signal, also before it listens to signals itself.

    What stands around it then ends in order, as after any other answer: a signal that hit it while
    it starts, or that the server passed on once it was done, would break off whatever is under way.
    """
    import signal

    before = {
        each: signal.signal(each, server.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
