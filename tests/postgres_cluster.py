"""A throw-away PostgreSQL cluster for tests: started from nothing, killed at will.

It listens on a Unix socket in a folder of its own and on no port, so that clusters of
parallel test runs never meet. Its settings are those a node asks of a real one
(``synchronous_commit`` and checksums on), and its collation is deliberately not byte
order: a comparison that forgets ``COLLATE "C"`` gives another answer than SQLite here,
as it would on most installed clusters.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

OLDEST = 15
START_SECONDS = 60
HOW_TO_INSTALL = (
    f"PostgreSQL {OLDEST} or later was not found: install it (Debian: apt-get install postgresql; "
    "macOS: brew install postgresql) or put its bin folder on PATH, then run this again"
)


@cache
def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL server programs that is new enough, or None."""
    found = {folder.resolve() for folder in _candidates() if (folder / "initdb").exists()}
    versions = sorted((version, folder) for folder in found if (version := _version(folder)) >= OLDEST)
    return versions[-1][1] if versions else None


def _candidates() -> list[Path]:
    folders = [Path(path).parent for name in ("initdb", "postgres") if (path := shutil.which(name))]
    folders += [folder.resolve() for folder in folders]
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        folders += [Path(asked.stdout.strip())] if asked.returncode == 0 else []
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    folders += Path("/usr").glob("pgsql-*/bin")
    return [*folders, Path("/usr/local/pgsql/bin"), Path("/usr/local/bin")]


def _version(folder: Path) -> int:
    """Return the major version of the server in ``folder``, 0 when it does not run."""
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    number = re.search(r"(\d+)", said.stdout)
    return int(number[1]) if number else 0


def _unprivileged() -> dict[str, Any]:
    """Return how to start PostgreSQL, which refuses to run as root: as ``postgres``, or whoever we are."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise RuntimeError(
        "PostgreSQL does not run as root, and there is no account postgres or nobody to run it as"
    )


class Cluster:
    """One PostgreSQL server and its data folder, both gone at the end of the ``with`` block."""

    def __init__(self, **settings: str) -> None:
        """``settings`` are added to the server's command line (``max_connections="200"``)."""
        bin_folder = binaries()
        if bin_folder is None:
            raise RuntimeError(HOW_TO_INSTALL)
        self._bin = bin_folder
        self._as = _unprivileged()
        self._settings = settings
        self._server: subprocess.Popen[Any] | None = None
        self._databases = 0
        # The other account may not reach our TMPDIR, and a socket's path may have 107 bytes at most.
        elsewhere = bool(self._as) or len(tempfile.gettempdir()) > 60
        self.folder = Path(tempfile.mkdtemp(prefix="kintung-pg-", dir="/tmp" if elsewhere else None))
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])

    def __enter__(self) -> Self:
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def url(self, database: str = "postgres") -> str:
        """Return the ``postgresql://`` URL of ``database``."""
        return f"postgresql://kintung@/{database}?host={self.folder}"

    def fresh_database(self) -> str:
        """Create an empty database and return its URL."""
        self._databases += 1
        name = f"fresh_{self._databases}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL, as a crash would; its backends notice by themselves."""
        assert self._server is not None, "the cluster is not running"
        self._server.kill()
        self._server.wait()
        self._server = None

    def start(self) -> None:
        """Start the server and wait until it answers.

        After ``kill`` the first attempts may be refused while a backend of the dead
        server still holds the old shared memory; they are repeated.
        """
        assert self._server is None, "the cluster is already running"
        until = time.monotonic() + START_SECONDS
        while True:
            if self._server is None or self._server.poll() is not None:
                self._server = self._launch()
            if self._answers():
                return
            if time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start in {START_SECONDS} s:\n{self.log()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server at once and remove its folder; harmless when it is not running."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGQUIT)
            try:
                self._server.wait(10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        self._server = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """Return what the server has written to its log."""
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _initialise(self) -> None:
        # Nothing but this folder's owner can reach the socket, hence no passwords.
        command = [self._bin / "initdb", "-D", self.folder / "data", "-U", "kintung", "--auth=trust"]
        command += ["--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command += ["--locale-provider=icu", "--icu-locale=und"]
        made = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, umask=0o077, **self._as
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")

    def _launch(self) -> subprocess.Popen[Any]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "synchronous_commit": "on",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "max_wal_size": "2GB",
            **self._settings,
        }
        command: list[str | Path] = [self._bin / "postgres", "-D", self.folder / "data"]
        command += [f"--{name}={value}" for name, value in settings.items()]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                text=False,
                **self._as,
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True
