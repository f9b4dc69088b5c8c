"""Files, environment and precedence: the only room that reads either.

`current()` is all that the other rooms need; the functions beside it are short ways to parts of it. Each name is loaded
when it is first used: whoever needs the environment alone, or only makes a text printable, does not wait for the rest.
"""

from aider_stackspot.lazy import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aider_stackspot.config.environment import AUTOLOAD, DEBUG, USAGE, WARM_UP
    from aider_stackspot.config.load import current, home, log_target, one_look, switch
    from aider_stackspot.config.settings import Account, CompatibleProvider, Model, Network, Settings

__all__ = [
    "AUTOLOAD",
    "DEBUG",
    "USAGE",
    "WARM_UP",
    "Account",
    "CompatibleProvider",
    "Model",
    "Network",
    "Settings",
    "current",
    "home",
    "log_target",
    "one_look",
    "switch",
]

__getattr__ = attributes(
    __name__,
    {
        **dict.fromkeys(("AUTOLOAD", "DEBUG", "USAGE", "WARM_UP"), "environment"),
        **dict.fromkeys(("current", "home", "log_target", "one_look", "switch"), "load"),
        **dict.fromkeys(("Account", "CompatibleProvider", "Model", "Network", "Settings"), "settings"),
    },
)
