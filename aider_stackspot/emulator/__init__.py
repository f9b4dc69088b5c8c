"""A StackSpot that runs on this machine, for demonstrations and tests: real sockets, every detail scripted.

>>> from aider_stackspot.emulator import Emulator, Fault
>>> with Emulator() as emulator:
...     emulator.answer = "Hi there"
...     emulator.fail("any chat", Fault.status(503))
...     emulator.environment()["STACKSPOTAI_AUTH_URL"] == emulator.url
True
"""

from aider_stackspot.emulator.agents import AgentDetails, Knowledge
from aider_stackspot.emulator.emulator import Emulator
from aider_stackspot.emulator.fault import Fault
from aider_stackspot.emulator.quick_commands import QuickCommand
from aider_stackspot.emulator.recording import Headers, RecordedRequest
from aider_stackspot.emulator.responses import Reply
from aider_stackspot.emulator.script import MODELS, Rule, Script, ScriptError
from aider_stackspot.emulator.style import STYLES, Style

__all__ = [
    "MODELS",
    "STYLES",
    "AgentDetails",
    "Emulator",
    "Fault",
    "Headers",
    "Knowledge",
    "QuickCommand",
    "RecordedRequest",
    "Reply",
    "Rule",
    "Script",
    "ScriptError",
    "Style",
]
