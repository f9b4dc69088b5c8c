"""Watches aider's `main`: when it runs, and where it may ask the user before anything of the configuration is used.

Each touch of aider's internals is one function.
"""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from prompt_toolkit.input.typeahead import clear_typeahead

from aider_stackspot.config import AUTOLOAD, current, switch
from aider_stackspot.config.display import printable, told_together, wrapped
from aider_stackspot.config.trust import variable_origin
from aider_stackspot.hosts.aider.answers import load_litellm
from aider_stackspot.hosts.aider.models import know_configured
from aider_stackspot.hosts.names import names
from aider_stackspot.hosts.patches import wrap_once
from aider_stackspot.hosts.terminal import say, say_later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aider_stackspot.config.trust.preview import FilePreview

_INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


def on_import(module: Any) -> None:
    """Watch aider; called by `autoload` when `aider.main`, or its browser interface `aider.gui`, has been imported."""
    if module.__name__ == "aider.gui":
        variable_origin.changes.go_on()
        return
    _watch_main(module)
    if switch(AUTOLOAD):
        _ask_before_loading(module)


def _watch_main(module: Any) -> None:
    def around(original: Any) -> Any:
        @functools.wraps(original)
        def main(argv: Sequence[str] | None = None, *args: Any, **kwargs: Any) -> Any:
            variable_origin.changes.begin(sys.argv[1:] if argv is None else argv)
            try:
                return original(argv, *args, **kwargs)
            finally:
                variable_origin.changes.end()

        return main

    wrap_once(module, "main", around)


def _ask_before_loading(module: Any) -> None:
    """Wrap the loading of LiteLLM: aider has read its options then, and nothing of the models has been said yet."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def check_and_load_imports(io: Any, *args: Any, **kwargs: Any) -> Any:
            if io.yes is None and sys.stdin.isatty() and sys.stdout.isatty():
                try:
                    _ask_about_servers_nearby(module.models, io)
                except KeyboardInterrupt:
                    sys.exit(_INTERRUPTED)
            return original(io, *args, **kwargs)

        return check_and_load_imports

    wrap_once(module, "check_and_load_imports", around)


def _ask_about_servers_nearby(models: Any, io: Any) -> None:
    """Ask once about each file of the project that names servers nearby; what the user trusts is used at once."""
    if not current().ignored:
        return
    from aider_stackspot.config.trust import question  # loaded with the first server that was ignored

    if next(question.files_to_ask_about(), None) is None:
        return
    with say_later(is_true=lambda line: line in _current_lines()):
        load_litellm()  # it has names that are not a project's to take, and says what was ignored
        from aider_stackspot.hosts.litellm.registration import register

        for file in question.files_to_ask_about(is_taken=lambda name: _is_taken(models, name)):
            _show(file)
            _drop_what_was_typed(io)
            trusts = io.confirm_ask("Trust this file as it is now?", default="n", explicit_yes_required=True)
            try:
                question.answer(file, trusts=trusts)
            except OSError as error:
                say(printable(f"the answer cannot be recorded: {error.strerror or error}"))
            if trusts:
                know_configured(models)
                register()


def _current_lines() -> tuple[str, ...]:
    settings = current()
    return (*([settings.problem] if settings.problem else []), *told_together(settings.notices))


def _is_taken(models: Any, name: str) -> bool:
    return names.is_litellms(name) or name in models.MODEL_ALIASES


def _drop_what_was_typed(io: Any) -> None:
    """Let no key answer the question that was typed before it stood there, for another one of aider's perhaps."""
    if io.prompt_session is not None:
        clear_typeahead(io.prompt_session.app.input)
    if sys.platform == "win32":
        import msvcrt  # Windows alone has it

        while msvcrt.kbhit():
            msvcrt.getwch()
    else:
        import termios  # Windows has none

        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def _show(file: FilePreview) -> None:
    """Show what trust in a file would do. aider's own output has the colors that the project chooses."""
    came = "has changed since you trusted it" if file.state == "changed" else "came with the project"
    what = (
        f"{file.path} {came}. It names a server on this machine or in your network, which gets your code when you use "
        "a model of it:"
    )
    columns = shutil.get_terminal_size().columns
    for line in (what, *(f"  {line}" for line in file.allows)):
        print(wrapped(printable(line), columns), flush=True)
