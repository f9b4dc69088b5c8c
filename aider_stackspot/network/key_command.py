"""API keys that a program prints, such as that of a password manager or of a cloud."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio

from aider_stackspot.config.header_values import api_key
from aider_stackspot.config.settings import KeyCommand
from aider_stackspot.errors import AuthenticationFailed, ConfigurationError
from aider_stackspot.network.tokens import AccessToken, ClientFor
from aider_stackspot.redact import without_likely_keys

TIME_LIMIT = 10.0
"""Seconds that the program may take."""
LAST_WORDS = 0.5
"""Seconds in which what an ended program wrote is read, where something that it started still holds its pipes."""
_LOOKED_AFTER = 0.01
"""Seconds between two looks at whether it runs."""
MAX_OUTPUT_BYTES = 1024 * 1024
_SHOWN = 300
"""Characters of what the program says on stderr."""


@dataclass(frozen=True)
class KeyProgram:
    """It runs a program for a key.

    Attributes:
        command: the program.
        provider: whose key it is, for messages.
    """

    command: KeyCommand
    provider: str

    @property
    def identity(self) -> tuple[str, ...]:
        """Tell commands apart."""
        return ("api_key_command", self.provider, self.command.directory, *self.command.arguments)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Nothing: what is printed is kept by those who keep the token."""
        return ()

    async def new_token(self, client_for: ClientFor) -> AccessToken:
        """Run the program. Its first line is the key, a second one the seconds that it lives.

        Raises:
            ConfigurationError: there is no such program, or what it printed is no key.
            AuthenticationFailed: it failed, or was not done within `TIME_LIMIT`; says what it wrote to stderr.
        """
        status, out, err = await self._run()
        if status != 0:
            said = "".join(filter(str.isprintable, without_likely_keys(err.decode(errors="replace"))))[:_SHOWN]
            raise AuthenticationFailed(
                f"{self._what} ended with status {status}{': ' if said else ', and said nothing'}{said}", status=401
            )
        key, lifetime = self._read(out)
        return AccessToken(key, lifetime)

    @property
    def _what(self) -> str:
        return f"`{Path(self.command.arguments[0]).name}` (`api_key_command` of the provider `{self.provider}`)"

    async def _run(self) -> tuple[int, bytes, bytes]:
        process = await self._started()
        out, err = bytearray(), bytearray()
        reading = [
            asyncio.create_task(_read_into(found, stream))
            for found, stream in ((out, process.stdout), (err, process.stderr))
        ]
        try:
            with anyio.fail_after(TIME_LIMIT):
                status = await _status(process)
            await asyncio.wait(reading, timeout=LAST_WORDS)
            return status, bytes(out), bytes(err)
        except BaseException as error:
            _end(process)
            if not isinstance(error, TimeoutError):
                raise
            late = f"{self._what} gave no key within {TIME_LIMIT:g} s. It can ask nobody: sign in to it before."
            raise AuthenticationFailed(late, status=401) from None
        finally:
            for task in reading:
                task.cancel()
            process._transport.close()  # type: ignore[attr-defined]  # nothing public closes pipes that others hold

    async def _started(self) -> asyncio.subprocess.Process:
        path = _found(self.command)
        if path is None:
            raise ConfigurationError(f"{self._what}: there is no such program.")
        try:
            return await asyncio.create_subprocess_exec(
                path,
                *self.command.arguments[1:],
                cwd=self.command.directory,
                env=dict(self.command.variables),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=os.name == "posix",
            )
        except OSError as error:
            raise ConfigurationError(f"{self._what} cannot be started: {error.strerror}.") from None

    def _read(self, out: bytes) -> tuple[str, float]:
        lines = re.split(r"\r\n|\r|\n", out.decode("utf-8-sig", errors="replace"))
        key = api_key(lines[0], f"{self._what}: its first line")
        if not key:
            raise ConfigurationError(f"{self._what}: its first line is no key, because it is empty.")
        life = lines[1].strip() if len(lines) > 1 else ""
        if life and re.fullmatch(r"[1-9][0-9]{0,8}", life) is None:
            raise ConfigurationError(f"{self._what}: its second line is no number of seconds.")
        return key, float(life) if life else math.inf


async def _read_into(found: bytearray, stream: asyncio.StreamReader | None) -> None:
    while stream is not None and (piece := await stream.read(65536)):
        found += piece[: MAX_OUTPUT_BYTES - len(found)]


async def _status(process: asyncio.subprocess.Process) -> int:
    """Wait for the program itself: `wait` waits, in some versions of Python, for all who hold its pipes as well."""
    while process.returncode is None:
        await asyncio.sleep(_LOOKED_AFTER)
    return process.returncode


def _end(process: asyncio.subprocess.Process) -> None:
    """End the program, and what it started, where that is still running."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _found(command: KeyCommand) -> str | None:
    """Return the program's path. The directory where somebody works is not looked into."""
    program, variables = command.arguments[0], command.variables
    if Path(program).is_absolute():
        return program if os.path.isfile(program) else None
    path = next((value for name, value in variables.items() if name.upper() == "PATH"), os.defpath)
    endings = variables.get("PATHEXT", ".EXE;.CMD;.BAT").split(";") if os.name == "nt" else []
    for directory in path.split(os.pathsep):
        for ending in ("", *endings):
            if os.path.isabs(directory) and (found := shutil.which(os.path.join(directory, program + ending))):
                return found
    return None
