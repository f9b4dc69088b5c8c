"""The variables that switch something on or off: `AIDER_STACKSPOT_AUTOLOAD` and the like.

They count from the environment and from every `.env` file. But a project's file may not take this package out of the
way, because a call for a server of the user's would then go to whoever else has such a name; nor may it have a log
written to a place of its choice.
"""

from __future__ import annotations

from aider_stackspot.config.environment import Environment, is_off_word

AUTOLOAD = "AIDER_STACKSPOT_AUTOLOAD"
WARM_UP = "AIDER_STACKSPOT_WARM_UP"
USAGE = "AIDER_STACKSPOT_USAGE"
DEBUG = "AIDER_STACKSPOT_DEBUG"
SWITCHES = {AUTOLOAD: True, WARM_UP: True, USAGE: True, DEBUG: False}
"""Each with what it is where nothing is set."""
LOG = "AIDER_STACKSPOT_LOG"
_LOG_WORDS = ("json", "1")


def read_switches(environment: Environment) -> dict[str, bool]:
    """Return for each switch whether it is on."""
    found = dict(SWITCHES)
    for name in SWITCHES:
        if name == AUTOLOAD:
            value = environment.pick(name, "switches this package off", harmless=lambda text: not is_off_word(text))
        else:
            value = environment.get(name)
        if value is not None:
            found[name] = not is_off_word(value.text)
    return found


def read_log_target(environment: Environment) -> str | None:
    """Return where calls are logged to: `json`, `1`, the path of a file, or `None` for nowhere."""
    value = environment.pick(
        LOG, "writes a file", harmless=lambda text: text.strip().lower() in _LOG_WORDS or is_off_word(text)
    )
    if value is None or is_off_word(value.text):
        return None
    word = value.text.strip()
    return word.lower() if word.lower() in _LOG_WORDS else environment.expanded(word)
