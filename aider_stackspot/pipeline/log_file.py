"""The log file of `AIDER_STACKSPOT_LOG`: what this package's loggers say, where it disturbs no screen."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from aider_stackspot import config
from aider_stackspot.errors import ConfigurationError, MissingCredentials
from aider_stackspot.files import append_rotated, private_directory

LOCATION = Path(".aider") / "aider-stackspot" / "log"
"""Below the home directory, where the variable is `1`."""
MAX_BYTES = 1024 * 1024
"""A longer file becomes `log.1`, in the place of the one before."""
_OUR_WORDS = (ConfigurationError, MissingCredentials, OSError)
"""Errors whose text is this package's, or the system's."""
_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"


class LogFile(logging.Handler):
    """Writes each record as one line. The first failure is told on standard error, and ends the log.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(_FORMAT))
        self._path = path
        self._prepare: Callable[[Path], object] = lambda path: None
        self._failed = False

    @classmethod
    def in_usual_place(cls) -> LogFile:
        """Return the one in the home directory.

        Raises:
            ConfigurationError: the user has no home directory.
        """
        home = config.home()
        if home is None:
            raise ConfigurationError("AIDER_STACKSPOT_LOG=1: there is no home directory for the log: name a file.")
        file = cls(home / LOCATION)
        file._prepare = private_directory
        return file

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record as one line, whatever line ends are in it."""
        if self._failed:
            return
        try:
            line = self.format(_without_foreign_words(record)).replace("\r", "").replace("\n", " | ")
            self._prepare(self._path.parent)
            append_rotated(self._path, line, MAX_BYTES)
        except OSError as error:
            self._failed = True
            reason = error.strerror or type(error).__name__
            tell(f"AIDER_STACKSPOT_LOG: {self._path} cannot be written: {reason}. Nothing more is logged.")
        except Exception:
            self.handleError(record)


def _without_foreign_words(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record in which an error is its class alone: what a server says of a prompt may quote it."""
    changed = copy.copy(record)
    if isinstance(record.args, tuple):
        changed.args = tuple(_shown(value) for value in record.args)
    if record.exc_info and record.exc_info[0] is not None:
        changed.msg, changed.exc_info, changed.exc_text = f"{record.msg} ({record.exc_info[0].__name__})", None, None
    return changed


def _shown(value: object) -> object:
    is_foreign = isinstance(value, Exception) and not isinstance(value, _OUR_WORDS)
    return type(value).__name__ if is_foreign else value


def tell(line: str) -> None:
    """Say on standard error why there is no log: it is where it would have gone without a file."""
    if sys.stderr is not None:
        print(f"aider-stackspot: {line}", file=sys.stderr, flush=True)
