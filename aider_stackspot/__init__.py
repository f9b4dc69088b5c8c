"""StackSpot AI for an unmodified aider: a LiteLLM custom provider.

Importing this package is cheap: it happens at every start of Python where it is installed. What is public is loaded
when it is first used.
"""

from aider_stackspot.__about__ import __version__
from aider_stackspot.lazy import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aider_stackspot.errors import StackSpotError
    from aider_stackspot.hosts.litellm.handler import StackSpotLLM
    from aider_stackspot.hosts.litellm.registration import register
    from aider_stackspot.hosts.python import StackSpotProvider

__all__ = ["StackSpotError", "StackSpotLLM", "StackSpotProvider", "__version__", "register"]

__getattr__ = attributes(
    __name__,
    {
        "StackSpotError": "errors",
        "StackSpotLLM": "hosts.litellm.handler",
        "StackSpotProvider": "hosts.python",
        "register": "hosts.litellm.registration",
    },
)
