"""What happens around an answer in aider, and what is said of problems: in words of ours, short, and with what helps.

aider 0.86 goes on with the text that had arrived when an error ends a stream and is not repeated, or was repeated often
enough: it takes that text for the model's reply, and writes the edits in it. Of an answer of this package's models that
is not complete nothing is left to apply. The text stands on the screen and in aider's history all the same.

aider asks whether to open its documentation where a model lacks credentials or is unknown, and tells of a prompt that
was too long by the limit that it assumed at its start. It adds a guess of its own to many errors, and shows the same
error at each of its eight repeats: what stands on the screen already is not said again. Each touch of aider's
internals is one function.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from aider_stackspot.api.context_errors import overflow_of
from aider_stackspot.config import current
from aider_stackspot.config.display import printable
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.hosts.aider.project_settings import provider_of, sure_name
from aider_stackspot.hosts.names import names
from aider_stackspot.hosts.patches import wrap_once
from aider_stackspot.hosts.terminal import TerminalNotices, is_on_screen, note_on_screen


def load_litellm() -> None:
    """Let aider load LiteLLM, which it does as late as it can, and with it this package's part for LiteLLM.

    That part imports LiteLLM, whose import loads that part: two threads that begin at opposite ends would wait for each
    other.
    """
    _ = sys.modules["aider.models"].litellm.model_cost


_TOO_LONG = "ContextWindowExceededError"
_SAID = "_aider_stackspot_too_long"
"""The attribute of aider's coder with what the service said of a prompt that was too long."""
_BROKEN_OFF = "_aider_stackspot_broken_off"
"""The attribute of aider's coder with the messages whose answer broke off; aider asks again with the same list."""
_FAILED = "_aider_stackspot_failed"
"""The attribute of aider's coder with the messages that were answered by an error, and that error's text."""
_IS_OURS = "_aider_stackspot"
"""The attribute of an error that came from a model of this package."""
_pointed_at: set[str] = set()
"""The problems of which a call has said that they stand above; the next call tells them again."""
_HELP = "/drop files, or /clear the chat."


def keep_logs_off_the_screen() -> None:
    """Let Python print no warning of this package's for which nobody has set up a log."""
    logging.getLogger("aider_stackspot").addHandler(logging.NullHandler())


def tell_of_models(models: Any) -> None:
    """Wrap the check of a chosen model, after which aider asks about its documentation."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def sanity_check_model(io: Any, model: Any) -> Any:
            problem = problem_of(model.name)
            if problem is None:
                return original(io, model)
            if problem not in current().notices:  # those were said when the configuration was read
                io.tool_warning(problem)
                note_on_screen(problem)
            return False

        return sanity_check_model

    wrap_once(models, "sanity_check_model", around)


def problem_of(name: object) -> str | None:
    """Return why a model of this package cannot be called, as far as that is known before the first call."""
    settings = current()
    if not isinstance(name, str) or settings.problem is not None:
        return None
    provider = provider_of(name)
    if provider is not None and provider in settings.accounts:
        try:
            settings.model(sure_name(name, provider) or name).account.credentials()
        except ConfigurationError as error:
            return str(error)
    if not any(name.startswith(f"{provider}/") for provider in settings.ignored):
        return None
    load_litellm()  # a name of LiteLLM's own vendors stays theirs, whatever a project calls its servers
    route = names.find_server(name)
    return settings.ignored.get(route.provider) if route is not None else None


def is_ours(model: Any) -> bool:
    """Tell whether aider's model is one of this package's."""
    return current().find(model.name) is not None or names.find(model.name) is not None


def ask_for_no_pages(base_coder: Any) -> None:
    """Wrap aider's report of an error that it does not repeat.

    It would offer to open each address in the text, which is a server's and no page, and add a guess at the reason.
    """

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def check_and_open_urls(coder: Any, error: Exception, friendly_msg: str | None = None) -> Any:
            if not is_ours(coder.main_model):
                return original(coder, error, friendly_msg)
            _, text = getattr(coder, _FAILED, None) or (None, str(error))
            coder.io.tool_error("Nothing was sent, for the reason above." if _stands_above(text) else text)
            return []

        return check_and_open_urls

    wrap_once(base_coder.Coder, "check_and_open_urls", around)


def _stands_above(text: str) -> bool:
    """Tell, once for each problem, whether an error says what aider's start has said."""
    said = text.partition(": ")[2]  # behind the name of LiteLLM's class
    if not is_on_screen(said) or said in _pointed_at:
        return False
    _pointed_at.add(said)
    return True


def say_once_while_repeating(coder: Any, messages: object, error: Any) -> None:
    """Shorten an error that is the one of the attempt before; aider shows it before each repeat."""
    setattr(error, _IS_OURS, True)
    text = str(error)
    before, said = getattr(coder, _FAILED, None) or (None, "")
    setattr(coder, _FAILED, (messages, text))
    if before is messages and said == text:
        error.message = "The same error again."


def guess_no_reasons(base_coder: Any) -> None:
    """Wrap aider's knowledge of errors: to one of this package's, which says what is wrong, it adds no guess."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def get_ex_info(known: Any, error: Exception) -> Any:
            info = original(known, error)
            return dataclasses.replace(info, description=None) if getattr(error, _IS_OURS, False) else info

        return get_ex_info

    wrap_once(base_coder.LiteLLMExceptions, "get_ex_info", around)


def note_too_long(coder: Any, error: Exception | None) -> None:
    """Note what was said of a prompt that was too long; `None` before each call."""
    setattr(coder, _SAID, str(error) if type(error).__name__ == _TOO_LONG else "")


def tell_of_length(base_coder: Any) -> None:
    """Wrap aider's report of a prompt that was too long, where this package knows what the service said."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def show_exhausted_error(coder: Any) -> Any:
            said = getattr(coder, _SAID, "")
            if not said:  # the answer reached its limit, or it is another vendor's model
                return original(coder)
            coder.io.tool_error(_too_long(coder.main_model.name, said))
            return None

        return show_exhausted_error

    wrap_once(base_coder.Coder, "show_exhausted_error", around)


def _too_long(name: str, said: str) -> str:
    overflow = overflow_of(said)
    if overflow is None or overflow.limit is None:
        return f"{said.partition(f'{_TOO_LONG}: ')[2] or said} {_HELP}"
    asked = f"this chat has {overflow.requested:,}" if overflow.requested else "this chat has more"
    return f"{name} takes {overflow.limit:,} tokens, and {asked}: {_HELP}"


class AiderNotices(TerminalNotices):
    """Shows notices to aider's user; what belongs below an answer is kept until aider has written that."""

    def __init__(self) -> None:
        super().__init__(always_read=True)
        self._below: list[str] = []

    def show_below_answer(self, lines: Sequence[str]) -> None:
        """Keep the lines until `taken` is called: aider's screen is still the answer's."""
        self._below = list(lines)

    def taken(self) -> list[str]:
        """Return the lines that are to be shown now."""
        lines, self._below = self._below, []
        return lines


notices = AiderNotices()


def on_import(base_coder: ModuleType) -> None:
    """Watch aider's calls; called by `autoload` when `aider.coders.base_coder` has been imported."""
    _keep_failed_answers_out(base_coder)
    tell_of_length(base_coder)
    ask_for_no_pages(base_coder)
    guess_no_reasons(base_coder)
    _show_sources(base_coder)


def _show_sources(base_coder: Any) -> None:
    """Wrap the report of tokens and costs, with which aider ends every answer."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def show_usage_report(coder: Any, *args: Any, **kwargs: Any) -> Any:
            lines = notices.taken()
            if lines:
                coder.io.tool_output("Knowledge sources that StackSpot used:")
                for line in lines:
                    coder.io.tool_output(f"  {printable(line)}")
            return original(coder, *args, **kwargs)

        return show_usage_report

    wrap_once(base_coder.Coder, "show_usage_report", around)


def _keep_failed_answers_out(base_coder: Any) -> None:
    def around(original: Any) -> Any:
        @functools.wraps(original)
        def send(coder: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
            notices.taken()  # of a commit message, or of an answer that failed
            note_too_long(coder, None)
            messages = args[0] if args else kwargs.get("messages")
            if messages is not None and getattr(coder, _BROKEN_OFF, None) is messages:
                coder.io.tool_output("The answer, from its beginning:")
            setattr(coder, _BROKEN_OFF, None)
            try:
                yield from original(coder, *args, **kwargs)
            except Exception as error:
                if is_ours(kwargs.get("model") or (args[1] if len(args) > 1 else None) or coder.main_model):
                    if coder.partial_response_content:
                        setattr(coder, _BROKEN_OFF, messages)
                        if not coder.show_pretty():
                            coder.io.tool_output()  # ends the line that the answer began
                    coder.partial_response_content = ""
                    coder.partial_response_function_call = {}
                    note_too_long(coder, error)
                    say_once_while_repeating(coder, messages, error)
                    coder._stop_waiting_spinner()  # aider writes the error where it turns
                raise

        return send

    wrap_once(base_coder.Coder, "send", around)
