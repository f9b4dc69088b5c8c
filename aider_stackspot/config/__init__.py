"""Files, environment and precedence: the only room that reads either.

`current()` is all that the other rooms need.
"""

from aider_stackspot.config.load import current
from aider_stackspot.config.settings import Account, CompatibleProvider, Model, Network, Settings

__all__ = ["Account", "CompatibleProvider", "Model", "Network", "Settings", "current"]
