"""Runs LiteLLM Proxy in this process with as many workers as asked for: its start, its log, its end."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import errno
import importlib.util
import logging
import multiprocessing
import os
import shlex
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from aider_stackspot.config.inputs import RecordedInputs
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.proxy_config import MASTER_KEY_VARIABLE, to_yaml

GRACE = 5
"""Seconds that answers in the middle of their stream have to end."""
_LAST_STEPS = 5
"""Seconds that a worker has for everything else."""
_HOOKS_VARIABLE = "LITELLM_WORKER_STARTUP_HOOKS"
LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "uvicorn.error")
_NEEDED = ("fastapi", "uvicorn", "orjson", "apscheduler", "backoff")
"""What `litellm[proxy]` brings and plain `litellm` does not."""


def missing_packages() -> list[str]:
    """Return what the gateway needs and this environment lacks."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def install_command() -> str:
    """Return the command that makes a gateway possible; beside aider, in an environment of its own."""
    extra = shlex.quote("aider-stackspot[gateway]")
    if importlib.util.find_spec("aider") is None:
        return f"{shlex.quote(sys.executable)} -m pip install {extra}"
    return f"python3 -m venv stackspot-gateway && stackspot-gateway/bin/python -m pip install {extra}"


def has_database() -> bool:
    """Tell whether the environment names a database for LiteLLM Proxy."""
    return bool(RecordedInputs().variable("DATABASE_URL"))


def listen(host: str, port: int) -> socket.socket:
    """Take the port now: what is printed about it stays true, and of two gateways one is refused at once.

    LiteLLM itself would quietly serve on a random port where 4000 is taken, and the tools would send their key to
    whatever program has taken it.

    Raises:
        ConfigurationError: the port or the address cannot be used.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigurationError(f"--host {host}: no such address ({error.args[-1]})") from None
    except OSError as error:
        other = f" Take another one: --port {port + 1}" if error.errno == errno.EADDRINUSE and port < 65535 else ""
        raise ConfigurationError(
            f"Cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}.{other}"
        ) from None


def run_proxy(
    config: Mapping[str, Any], key: str, listener: socket.socket, workers: int, ready: Callable[[], None]
) -> None:
    """Run the proxy until it is stopped. What it leaves to the environment is set there, for its workers too.

    Args:
        config: see `proxy_config`.
        key: the master key; it is on no command line and in no file of this run.
        listener: see `listen`.
        workers: how many processes serve it.
        ready: called once, from another thread, when it answers.
    """
    _stop_with_status_0()
    with tempfile.TemporaryDirectory(prefix="aider-stackspot-gateway-") as directory:
        path = Path(directory) / "litellm.yaml"
        path.write_text(to_yaml(config), encoding="utf-8")
        _set_environment(path, key)
        if has_database():
            _prepare_database(path)
        answers = threading.Event()
        threading.Thread(target=_await, args=(listener.getsockname(), answers, ready), daemon=True).start()
        if workers > 1:
            _stop_workers_in_time(answers)
        _serve(listener, workers)


def _set_environment(config: Path, key: str) -> None:
    os.environ[MASTER_KEY_VARIABLE] = key
    os.environ["CONFIG_FILE_PATH"] = str(config)
    # Else LiteLLM would load the working directory's .env, and its workers would take that for the user's environment.
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    hooks = [RecordedInputs().variable(_HOOKS_VARIABLE), "aider_stackspot.gateway.launch:leave_out_frames"]
    os.environ[_HOOKS_VARIABLE] = ",".join(filter(None, hooks))
    if not has_database():  # the pages for administrators keep everything in the database
        os.environ.setdefault("DISABLE_ADMIN_UI", "True")


def _prepare_database(config: Path) -> None:
    """Create or migrate the tables, as `litellm` does at its start."""
    from litellm.proxy.proxy_cli import run_server

    run_server.main(args=["--config", str(config), "--skip_server_startup"], prog_name="litellm", standalone_mode=False)


def _serve(listener: socket.socket, workers: int) -> None:
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    log_config = copy.deepcopy(LOGGING_CONFIG)
    log_config["loggers"]["uvicorn.error"]["level"] = "WARNING"  # not a word about each worker's start
    with _inheritable(listener) as address:
        uvicorn.run(
            "litellm.proxy.proxy_server:app",
            workers=workers,
            log_config=log_config,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            **address,
        )


@contextlib.contextmanager
def _inheritable(listener: socket.socket) -> Iterator[dict[str, Any]]:
    """Yield where uvicorn finds the socket. On Windows it takes no socket, only an address."""
    with listener:
        if os.name == "posix":
            listener.set_inheritable(True)
            yield {"fd": listener.fileno()}
            return
        host, port = listener.getsockname()[:2]
    yield {"host": host, "port": port}


def _await(address: tuple[Any, ...], answers: threading.Event, ready: Callable[[], None]) -> None:
    """Tell when the proxy answers: a request to a port that listens already waits until somebody does."""
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    opener = build_opener(ProxyHandler({}))
    for _ in range(10):
        with contextlib.suppress(OSError), opener.open(f"http://{host}:{address[1]}/health/liveliness", timeout=60):
            answers.set()
            return ready()


def leave_out_frames() -> None:
    """Shorten this process's log; each worker of the gateway runs this at its start, as LiteLLM's startup hook."""
    for name in LOGGERS:
        logging.getLogger(name).filters.insert(0, _without_frames)  # LiteLLM's own filter writes the frames out


def _without_frames(record: logging.LogRecord) -> bool:
    """Let every record pass but those of calls that were cancelled: the gateway stops, and said so in a line before.

    An error that has a status is an answer to a client; any other keeps its frames.
    """
    if logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
        return True
    error = record.exc_info[1] if record.exc_info else None
    if hasattr(error, "status_code"):
        record.exc_info = None
    return not isinstance(error, asyncio.CancelledError)


def _stop_with_status_0() -> None:
    """Let every signal to stop unwind this process: uvicorn shuts down by itself and then raises the signal again."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    if sys.platform != "win32":  # the terminal was closed
        from uvicorn.supervisors import multiprocess

        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
        # With several workers, uvicorn would restart them instead, and go on behind the closed terminal.
        getattr(multiprocess, "SIGNALS", {}).pop(signal.SIGHUP, None)


def _stop_workers_in_time(ready: threading.Event) -> None:
    """See to it that no worker outlives a signal to stop; call this in the main thread of their parent.

    uvicorn waits for each of them without a limit: a worker that is loading LiteLLM first finishes that.

    Args:
        ready: set once a worker answers; until then there is nothing to wait for.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_stop_workers, args=(reader, writer, ready), daemon=True).start()
    if sys.platform != "win32":
        # A terminal sends Ctrl-C to the whole group. Workers inherit that it is not for them, or one that is just
        # starting would end with a traceback; here the thread above still takes it.
        resource_tracker.ensure_running()  # it would undo the following
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _stop_workers(reader: socket.socket, _writer: socket.socket, ready: threading.Event) -> None:
    while reader.recv(1)[0] not in (signal.SIGINT, signal.SIGTERM):
        pass
    if ready.is_set():
        time.sleep(GRACE + _LAST_STEPS)
    while True:  # the parent may be about to start another one
        for worker in multiprocessing.active_children():
            worker.kill()
        time.sleep(0.1)
