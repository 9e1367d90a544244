"""Real servers that the tests stop, restart and freeze; each in a folder of its own below /tmp."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from programs import is_root, program

START_SECONDS = 40.0
FREEZE_SECONDS = 20.0
"""The longest that a server stays frozen."""


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def wait_for(ready: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Return as soon as `ready()`. Raises `TimeoutError` naming `what`."""
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise TimeoutError(what)
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether somebody answers on `port`."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Process:
    """A server process and its children: started, stopped, killed, frozen and thawed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._alarm: threading.Timer | None = None

    def family(self) -> list[int]:
        """The process ids of the server and of everything that it started, parents first."""
        if self._process is None or self._process.poll() is not None:
            return []
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        )
        pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        family = [self._process.pid]
        for parent in family:
            family += [child for child, its_parent in pairs if its_parent == parent]
        return family

    def freeze(self) -> None:
        """Stop every process where it stands: sockets stay open, nobody answers."""
        # Twice, for a child that was being started while the list was made.
        for _ in range(2):
            self._signal(signal.SIGSTOP)
        # Whoever waits for a frozen server without a limit must fail a test, not hang it.
        self._alarm = threading.Timer(FREEZE_SECONDS, self._signal, [signal.SIGCONT])
        self._alarm.daemon = True
        self._alarm.start()

    def thaw(self) -> None:
        """Let every process go on."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._signal(signal.SIGCONT)

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 20.0) -> None:
        """End the server, also a frozen one."""
        if self._process is None:
            return
        family = self.family()
        if self._process.poll() is None:
            self.thaw()
            self._process.send_signal(how)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait(5)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def _signal(self, which: signal.Signals) -> None:
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, which)


class Postgres(Process):
    """A PostgreSQL server of our own, under its own user when the tests run as root."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self._user = _database_user()
        self._folder = Path(tempfile.mkdtemp(prefix="ebb-postgres-"))
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._data = self._folder / "data"
        subprocess.run(
            [program("initdb"), "-D", self._data, "-U", "ebb", "-A", "trust", "-N", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd="/",
            **self._as_user(),
        )
        self.start()
        self.execute("CREATE DATABASE ebb", database="postgres")

    def start(self) -> None:
        """Start, or start again with the same data and port."""
        self._process = subprocess.Popen(
            [
                *(program("postgres"), "-D", self._data, "-p", str(self.port)),
                *("-k", self._folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"),
                *("-c", "shared_buffers=16MB", "-c", "max_connections=40"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd="/",
            **self._as_user(),
        )
        wait_for(self._answers, "PostgreSQL did not start")

    def stop(self, how: signal.Signals = signal.SIGINT, seconds: float = 20.0) -> None:
        """End it: SIGINT breaks off all connections, SIGQUIT at once."""
        super().stop(how, seconds)

    def execute(self, statement: str, database: str = "ebb") -> None:
        """Run one statement outside a transaction."""
        import psycopg2

        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user="ebb", dbname=database, connect_timeout=5
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    @property
    def url(self) -> str:
        """For SQLAlchemy."""
        return f"postgresql://ebb@127.0.0.1:{self.port}/ebb"

    @property
    def endpoint(self) -> dict[str, Any]:
        """What endpoints.yml says under tracker_store, but for the type."""
        return {
            "dialect": "postgresql",
            "url": "127.0.0.1",
            "port": self.port,
            "db": "ebb",
            "username": "ebb",
            "password": "unused",
        }

    def remove(self) -> None:
        """End it and delete its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1", database="postgres")
        except Exception:
            return False
        return True


def _database_user() -> str | None:
    """PostgreSQL refuses to run as root; its Debian package brings a user for it."""
    if not is_root():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise LookupError("PostgreSQL does not run as root, and there is no user postgres or nobody")


class Redis(Process):
    """A Redis server that keeps nothing on disk."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="ebb-redis-"))
        self.start()

    def start(self) -> None:
        """Start, or start again on the same port, empty."""
        self._process = subprocess.Popen(
            [
                *(program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", self._folder),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        wait_for(lambda: listens(self.port), "Redis did not start")

    def remove(self) -> None:
        """End it and delete its folder."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)


class RealActions(Process):
    """rasa-sdk's own action server with the actions of the project."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        """For endpoints.yml."""
        return f"http://127.0.0.1:{self.port}/webhook"

    def start(self) -> None:
        """Start, or start again on the same port."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(self.port)],
            env={**os.environ, "SANIC_HOST": "127.0.0.1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        wait_for(lambda: listens(self.port), "the action server did not start")

    def remove(self) -> None:
        """End it."""
        self.stop(signal.SIGKILL)


class FakeActions:
    """An action server that misbehaves on demand and runs the real actions otherwise.

    `behaviour` is "whole", "hangs" (accepts and never answers), "500", "not json",
    "wrong schema" or "huge".
    """

    def __init__(self) -> None:
        from rasa_sdk.executor import ActionExecutor

        self.behaviour = "whole"
        self.asked = 0
        self._let_go = threading.Event()
        executor = ActionExecutor()
        executor.register_package("actions")
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fake.asked += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with contextlib.suppress(OSError):
                    fake._answer(self, body, executor)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """For endpoints.yml."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhook"

    def misbehave(self, behaviour: str) -> None:
        """Answer like this from now on."""
        self.behaviour = behaviour

    def heal(self) -> None:
        """Run the actions from now on; calls that hang are let go without an answer."""
        self.behaviour = "whole"
        self._let_go.set()
        self._let_go = threading.Event()

    def close(self) -> None:
        """Stop listening."""
        self.heal()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes, executor: Any) -> None:
        status, answer = 200, b""
        match self.behaviour:
            case "whole":
                found = asyncio.run(executor.run(json.loads(body)))
                answer = json.dumps(found).encode()
            case "hangs":
                self._let_go.wait(300)
                return
            case "500":
                status, answer = 500, b'{"error": "broken"}'
            case "not json":
                answer = b"<html>Bad gateway</html>"
            case "wrong schema":
                answer = b'{"events": "none", "responses": [1, 2]}'
            case "huge":
                answer = b'{"events": [], "responses": [{"text": "' + b"x" * 50_000_000 + b'"}]}'
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)


class Server(Process):
    """`ebb serve` as its own process, over a project folder of its own."""

    def __init__(self, project: Path, **environment: str) -> None:
        super().__init__()
        self.project = project
        self.port = free_port()
        self._environment = environment
        self.said: list[str] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return (self.project / "log").read_text(encoding="utf-8", errors="replace")

    def start(self, ready: bool = True) -> None:
        """Start it; with `ready`, return once it has answered a message of its own."""
        with (self.project / "log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ebb.cli", "serve", "--port", str(self.port)],
                env={**os.environ, "EBB_PROJECT": str(self.project), **self._environment},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.project,
            )
        self.said = []
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        if ready:
            wait_for(lambda: self.ready or not self.runs, "the server did not get ready")
            assert self.ready, f"the server ended: {self.log[-2000:]}"

    @property
    def ready(self) -> bool:
        """Whether it said so."""
        return any("ready" in line for line in self.said)

    @property
    def runs(self) -> bool:
        """Whether its process is alive."""
        return self._process is not None and self._process.poll() is None

    def ended(self, seconds: float = START_SECONDS) -> int:
        """Its exit code. Raises if it does not end by itself."""
        assert self._process is not None
        return self._process.wait(seconds)

    def post(self, body: bytes, seconds: float = 30.0) -> Any:
        """POST to the REST channel. Raises `OSError` (`HTTPError` is one)."""
        request = urllib.request.Request(
            f"{self.address}/webhooks/rest/webhook", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return json.loads(answer.read())

    def say(self, sender: str, message: str, country: str = "GB") -> list[dict[str, Any]]:
        """The replies to one message."""
        body = {"sender": sender, "message": message, "country": country}
        found: list[dict[str, Any]] = self.post(json.dumps(body).encode())
        return found

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in process.stdout:
                self.said.append(line)


@contextlib.contextmanager
def running(server: Any) -> Iterator[Any]:
    """`server`, ended at the end whatever happens."""
    try:
        yield server
    finally:
        server.remove() if hasattr(server, "remove") else server.stop()
