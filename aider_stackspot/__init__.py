"""StackSpot AI for an unmodified aider: a LiteLLM custom provider.

Importing this package is cheap: it happens at every start of Python where it is installed. What is public is loaded
when it is first used.
"""

from aider_stackspot.__about__ import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aider_stackspot.errors import StackSpotError
    from aider_stackspot.hosts.litellm.handler import StackSpotLLM
    from aider_stackspot.hosts.litellm.registration import register
    from aider_stackspot.hosts.python import StackSpotProvider

__all__ = ["StackSpotError", "StackSpotLLM", "StackSpotProvider", "__version__", "register"]

_HOMES = {
    "StackSpotError": "errors",
    "StackSpotLLM": "hosts.litellm.handler",
    "StackSpotProvider": "hosts.python",
    "register": "hosts.litellm.registration",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
