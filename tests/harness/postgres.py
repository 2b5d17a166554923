"""A private PostgreSQL server, thrown away when it stops.

python -m tests.harness.postgres start [--durable]    starts one and prints its address
python -m tests.harness.postgres stop                 ends it and removes its data

The server listens on the loopback only, under a password made for it. PostgreSQL refuses to run
as root, so for root it runs as another user, over a folder that this user owns.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.harness import debian

OWNER = "partner_cx"
REMEDY = (
    "Install PostgreSQL 15 or newer (Debian: sudo apt-get install postgresql), "
    "or name a server with PARTNER_CX_TEST_POSTGRESQL_URL."
)
# A server for tests need not survive a power cut, and lies in memory where there is room:
# making a database takes a third of the time there.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=128MB")
MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 1024**3
RECORD = Path(__file__).parents[2] / ".postgres" / "cluster"


class PostgreSQLMissing(Exception):
    """There is no PostgreSQL to test on, and none could be had."""


@dataclass(frozen=True)
class Cluster:
    """A running server and the folder that holds all of it: data, log, password, address."""

    folder: Path

    @property
    def address(self) -> str:
        """The URL of its maintenance database, as the owner, who may create others."""
        return (self.folder / "address").read_text()

    def stop(self) -> None:
        """End the server, whoever is still connected, and remove its data."""
        _run(self.folder, "pg_ctl", "stop", "-D", "data", "-m", "fast", "-w")
        shutil.rmtree(self.folder)


def start(*, durable: bool = False) -> Cluster:
    """Start a server of our own. durable: keep PostgreSQL's usual promises, as for a bench."""
    programs()
    place = None if durable or not _has_room(MEMORY) else MEMORY
    folder = Path(tempfile.mkdtemp(prefix="partner-cx-postgres-", dir=place))
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    for path in (folder, folder / "password"):
        _hand_over(path)
    # Text sorts as on a production server, by language and not by byte.
    _run(
        folder, "initdb", "-D", "data", "--username", OWNER, "--pwfile", "password",
        "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync", "--locale", "C",
        "--locale-provider", "icu", "--icu-locale", "en-US",
    )  # fmt: skip
    port = _start_server(folder, durable=durable)
    (folder / "address").write_text(f"postgresql://{OWNER}:{password}@127.0.0.1:{port}/postgres")
    return Cluster(folder)


def programs() -> Path:
    """The folder that holds initdb and pg_ctl, the newest there is; installed if need be."""
    found = _find_programs() or (debian.install("postgresql") and _find_programs())
    if not found:
        raise PostgreSQLMissing(f"The tests need PostgreSQL's initdb and pg_ctl. {REMEDY}")
    return found


def _find_programs() -> Path | None:
    packaged = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if packaged:
        return max(packaged, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _has_room(place: Path) -> bool:
    return place.is_dir() and shutil.disk_usage(place).free >= ROOM_BYTES


def _start_server(folder: Path, *, durable: bool) -> int:
    """Start the server on a free port and return the port."""
    settings = [
        "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "max_connections=200",
        *(() if durable else FORGETFUL),
    ]  # fmt: skip
    options = " ".join(f"-c {setting}" for setting in settings)
    for tries_left in (2, 1, 0):
        # Between finding a free port and taking it, somebody else may: then try another.
        port = _free_port()
        try:
            _run(folder, "pg_ctl", "start", "-D", "data", "-l", "log", "-w",
                 "-o", f"{options} -p {port}")  # fmt: skip
        except PostgreSQLMissing:
            if not tries_left:
                raise
        else:
            return port
    raise AssertionError("the last try either returned or raised")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _server_user() -> pwd.struct_passwd | None:
    """Whom the server runs as, when it can't run as us."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")


def _hand_over(path: Path) -> None:
    user = _server_user()
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def _run(folder: Path, program: str, *arguments: str) -> None:
    user = _server_user()
    done = subprocess.run(
        [programs() / program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        log = folder / "log"
        told = [done.stdout, done.stderr, log.read_text()[-2000:] if log.exists() else ""]
        raise PostgreSQLMissing("\n".join([f"{program} failed.", *told, REMEDY]))


def main(arguments: list[str]) -> int:
    """Start or stop the one server that belongs to this working copy."""
    match arguments:
        case ["start", *rest] if rest in ([], ["--durable"]) and not RECORD.exists():
            cluster = start(durable=bool(rest))
            RECORD.parent.mkdir(exist_ok=True)
            RECORD.write_text(str(cluster.folder))
            print(cluster.address)
            return 0
        case ["start", *_] if RECORD.exists():
            print(Cluster(Path(RECORD.read_text())).address)
            return 0
        case ["stop"] if RECORD.exists():
            Cluster(Path(RECORD.read_text())).stop()
            RECORD.unlink()
            return 0
        case ["stop"]:
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
