"""`aider-stackspot providers`: the OpenAI-compatible servers of the user's configuration."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from aider_stackspot.cli.documented import HELP_NAMES, add_command
from aider_stackspot.cli.terminal import output

if TYPE_CHECKING:
    from pathlib import Path

    from aider_stackspot.compatible.discovery import Outcome
    from aider_stackspot.config import CompatibleProvider

PATIENCE = 10.0
"""Seconds for a server that the user just named; a start waits for two at most."""

providers = typer.Typer(
    name="providers",
    help="Add, list, remove and refresh OpenAI-compatible servers.",
    no_args_is_help=True,
    context_settings=HELP_NAMES,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class _New:
    """A server to add, as far as the user said."""

    name: str
    base_url: str
    key: str
    insecure: bool = False


def add(
    name: Annotated[str | None, typer.Argument(help="How the provider shall be called: NAME/model.")] = None,
    base_url: Annotated[str | None, typer.Option(help="The server's base URL, such as https://host/v1.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="A well-known local server: lmstudio, localai, vllm, ollama, llama.cpp …")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(help="The server's key. Better left out: it is then asked for, and not shown."),
    ] = None,
    scan: Annotated[bool, typer.Option("--scan", help="Find the well-known servers that run on this machine.")] = False,
    allow_insecure_http: Annotated[
        bool, typer.Option("--allow-insecure-http", help="Allow http:// to another machine.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Save it even if the server does not answer.")] = False,
) -> None:
    """Connect to a server, show its models, and save it.

    The settings go to your own `.aider.litellm.yml`, where comments stay as they are. The key goes to `.env` in your
    home directory, readable by you alone. What is not given is asked for.

    Examples:
        aider-stackspot providers add
        aider-stackspot providers add gpu --base-url https://gpu.example.com/v1
        aider-stackspot providers add --preset lmstudio
        aider-stackspot providers add --scan
    """
    if scan:
        _scan()
        return
    _add(_asked(name, base_url, preset, api_key, allow_insecure_http), force=force)


def _asked(name: str | None, base_url: str | None, preset: str | None, key: str | None, insecure: bool) -> _New:
    """Return what the options say, and ask for the rest where somebody can answer."""
    from aider_stackspot.compatible.profiles import PRESETS, named
    from aider_stackspot.errors import ConfigurationError

    profile = named(preset) if preset is not None else None
    if preset is not None and (profile is None or profile.base_url is None):
        known = ", ".join(one.name for one in PRESETS)
        raise ConfigurationError(f"There is no preset `{preset}`; there are {known}.")
    if profile is not None:
        name, base_url = name or profile.name, base_url or profile.base_url
        key = key if key is not None else ""
    can_ask = _can_ask()
    if name is None:
        name = _ask("Name", can_ask, "NAME")
    if base_url is None:
        base_url = _ask("Base URL", can_ask, "--base-url")
    if key is None:
        key = typer.prompt("Key (empty for none)", default="", hide_input=True, show_default=False) if can_ask else ""
    return _New(_usable(name), base_url.strip(), key.strip(), insecure)


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _ask(what: str, can_ask: bool, option: str) -> str:
    from aider_stackspot.errors import ConfigurationError

    if not can_ask:
        raise ConfigurationError(f"{option} is missing.")
    return str(typer.prompt(what))


def _usable(name: str) -> str:
    from aider_stackspot.errors import ConfigurationError

    if name == "stackspot" or NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"`{name}` cannot be a server's name: letters, digits, `-`, `_` and `.` can be, and `stackspot` is taken."
        )
    return name


def _add(new: _New, *, force: bool) -> None:
    from aider_stackspot.cli.models_table import print_server
    from aider_stackspot.config.edit import users_file, with_provider

    path = users_file()
    keys = _keys(new)
    text = with_provider(_text(path), new.name, keys)
    server = _server(new)
    outcome = _connect(server)
    console = output()
    print_server(console, server, show_all=True)
    if outcome.snapshot is None and not force:
        console.print("Nothing was saved. To save it all the same, add --force.")
        raise typer.Exit(1)
    _save(path, text, new)
    console.print(f"Saved to {path}.", soft_wrap=True)
    _show_use(server)


def _keys(new: _New) -> dict[str, str | bool]:
    keys: dict[str, str | bool] = {"api_base": new.base_url}
    if new.key:
        keys["api_key"] = f"${{{variable_of(new.name)}}}"
    if new.insecure:
        keys["allow_insecure_http"] = True
    return keys


def variable_of(name: str) -> str:
    """Return the environment variable that holds a provider's key."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"{'_' if plain[:1].isdigit() else ''}{plain}_API_KEY"


def _server(new: _New) -> CompatibleProvider:
    """Return the new server as the configuration will have it: the machine's own proxy and certificates hold for it."""
    from pydantic import SecretStr

    from aider_stackspot.config import CompatibleProvider, current
    from aider_stackspot.config.hosts import checked

    base = checked(new.base_url, what="the base URL", allow_insecure_http=new.insecure)
    network = next(iter(current().accounts.values())).network
    return CompatibleProvider(new.name, base, SecretStr(new.key) if new.key else None, network=network)


def _connect(server: CompatibleProvider) -> Outcome:
    from aider_stackspot.compatible.catalogue import catalogue

    return catalogue.refresh([server], PATIENCE)[server.name]


def _save(path: Path, text: str, new: _New) -> None:
    from aider_stackspot.config.edit import save_variable, users_env_file, write_text

    if new.key:
        save_variable(users_env_file(), variable_of(new.name), new.key)
        typer.echo(f"The key is in {users_env_file()} as {variable_of(new.name)}, readable only for you.")
    write_text(path, text)


def _show_use(server: CompatibleProvider) -> None:
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.compatible.server import models_of

    usable = [model.public for model in models_of(server, catalogue.known(server)) if model.chat]
    typer.echo(f"Use it: aider --model {usable[0] if usable else f'{server.name}/MODEL'}")


def _text(path: Path) -> str:
    from aider_stackspot.errors import ConfigurationError

    try:
        return path.read_text(encoding="utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None


def _scan() -> None:
    """Look for the well-known servers on this machine, and add the new ones."""
    from aider_stackspot.compatible.discovery import discover
    from aider_stackspot.compatible.profiles import GENERIC, PRESETS
    from aider_stackspot.config import CompatibleProvider, current

    bases = {profile.base_url: profile.name for profile in PRESETS if profile.base_url}
    found = discover([CompatibleProvider(name, base) for base, name in bases.items()])
    configured = {_same_place(server.api_base): server.name for server in current().compatible.values()}
    running = [(base, found[name].snapshot) for base, name in bases.items()]
    answered = [(base, snapshot) for base, snapshot in running if snapshot is not None]
    if not answered:
        typer.echo(f"None of these answers: {', '.join(bases)}.")
        raise typer.Exit(1)
    for base, snapshot in answered:
        name = snapshot.profile if snapshot.profile != GENERIC.name else bases[base]
        known = configured.get(_same_place(base))
        if known is not None:
            typer.echo(f"{base}: configured already, as {known}.")
        elif not _can_ask() or typer.confirm(f"Add {base} as {name}?", default=True):
            _add(_New(name, base, ""), force=False)


def _same_place(url: str) -> str:
    return url.replace("://127.0.0.1", "://localhost").rstrip("/").removesuffix("/v1")


def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False) -> None:
    """List the configured servers, without asking them.

    Examples:
        aider-stackspot providers list
        aider-stackspot providers list --json
    """
    from aider_stackspot.cli.models import state_of
    from aider_stackspot.cli.models_table import new_table
    from aider_stackspot.config import current

    states = [state_of(server) for server in _configured(current().problem)]
    if as_json:
        typer.echo(json.dumps(states, indent=2))
        return
    if not states:
        typer.echo("No server is configured. Add one: aider-stackspot providers add")
        return
    table = new_table(("Provider", "Base URL", "Kind", "Models"))
    for state in states:
        count = f"{state['models']}, {state['hidden']} not for chat" if state["hidden"] else str(state["models"])
        table.add_row(
            state["name"], state["api_base"], state["profile"], count if state["fetched_at"] else "not known yet"
        )
    output().print(table)


def remove(name: Annotated[str, typer.Argument(help="The provider's name.")]) -> None:
    """Take a server out of your file.

    Its key stays in the environment file; the command tells the variable's name.

    Examples:
        aider-stackspot providers remove lmstudio
    """
    from aider_stackspot.compatible import cache
    from aider_stackspot.config import current
    from aider_stackspot.config.edit import users_env_file, users_file, without_provider, write_text

    path = users_file()
    text = without_provider(_text(path), name)
    server = current().compatible.get(name)
    write_text(path, text)
    if server is not None:
        cache.forget(server)
    typer.echo(f"Removed {name} from {path}.")
    env = users_env_file()
    if re.search(rf"^\s*(export\s+)?{re.escape(variable_of(name))}\s*=", _text(env), re.MULTILINE):
        typer.echo(f"Its key was left in {env}, as {variable_of(name)}.")


def refresh(name: Annotated[str | None, typer.Argument(help="Only this provider.")] = None) -> None:
    """Ask the servers for their models again.

    Limits that were learned from a server's errors are forgotten. Exit status 1 when a server does not answer.

    Examples:
        aider-stackspot providers refresh
        aider-stackspot providers refresh lmstudio
    """
    from aider_stackspot.cli.models_table import print_server
    from aider_stackspot.compatible.catalogue import catalogue
    from aider_stackspot.config import current
    from aider_stackspot.errors import ConfigurationError

    servers = [server for server in _configured(current().problem) if name in (None, server.name)]
    if not servers:
        raise ConfigurationError(
            f"There is no server `{name}`; see: aider-stackspot providers list."
            if name
            else "No server is configured. Add one: aider-stackspot providers add"
        )
    outcomes = catalogue.refresh(servers, PATIENCE)
    for server in servers:
        print_server(output(), server)
    if any(outcome.snapshot is None for outcome in outcomes.values()):
        raise typer.Exit(1)


def _configured(problem: str | None) -> list[CompatibleProvider]:
    from aider_stackspot.config import current
    from aider_stackspot.errors import ConfigurationError

    if problem is not None:
        raise ConfigurationError(problem)
    return list(current().compatible.values())


for _command, _name in ((add, "add"), (list_, "list"), (remove, "remove"), (refresh, "refresh")):
    add_command(providers, _command, _name)
