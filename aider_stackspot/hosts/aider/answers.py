"""What happens around an answer in aider: none that failed is applied, and knowledge sources are shown below it.

aider 0.86 goes on with the text that had arrived when an error ends a stream and is not repeated, or was repeated often
enough: it takes that text for the model's reply, and writes the edits in it. Of an answer of this package's models that
is not complete nothing is left to apply. The text stands on the screen and in aider's history all the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from aider_stackspot.config.display import printable
from aider_stackspot.hosts.aider import problems
from aider_stackspot.hosts.patches import wrap_once
from aider_stackspot.hosts.terminal import TerminalNotices


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
    problems.tell_of_length(base_coder)
    problems.ask_for_no_pages(base_coder)
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
            problems.note_too_long(coder, None)
            try:
                yield from original(coder, *args, **kwargs)
            except Exception as error:
                if problems.is_ours(kwargs.get("model") or (args[1] if len(args) > 1 else None) or coder.main_model):
                    coder.partial_response_content = ""
                    coder.partial_response_function_call = {}
                    problems.note_too_long(coder, error)
                    coder._stop_waiting_spinner()  # aider writes the error where it turns
                raise

        return send

    wrap_once(base_coder.Coder, "send", around)
