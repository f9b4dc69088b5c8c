"""The steps of `providers add`: what is asked, the connection, and what is saved."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import SecretStr

from aider_stackspot.cli.models_table import print_server
from aider_stackspot.cli.terminal import output
from aider_stackspot.compatible import catalogue as lists
from aider_stackspot.compatible import profiles
from aider_stackspot.compatible.discovery import DiscoveryResult, discover
from aider_stackspot.compatible.server import models_of
from aider_stackspot.config import CompatibleProvider, current
from aider_stackspot.config.base_url import checked
from aider_stackspot.config.edit import save_variable, text_of, users_env_file, users_file, with_provider, write_text
from aider_stackspot.errors import ConfigurationError

PATIENCE = 10.0
"""Seconds for a server that the user just named; a start waits for two at most."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class _New:
    """A server to add, as far as the user said."""

    name: str
    base_url: str
    key: str
    insecure: bool = False


def add(
    name: str | None, base_url: str | None, preset: str | None, key: str | None, *, insecure: bool, force: bool
) -> None:
    """Ask for what is missing, connect, show the models, and save.

    Raises:
        ConfigurationError: something is missing, or cannot be used.
    """
    _add(_asked(name, base_url, preset, key, insecure), force=force)


def _asked(name: str | None, base_url: str | None, preset: str | None, key: str | None, insecure: bool) -> _New:
    """Return what the options say, and ask for the rest where somebody can answer."""
    profile = profiles.named(preset) if preset is not None else None
    if preset is not None and (profile is None or profile.base_url is None):
        known = ", ".join(one.name for one in profiles.PRESETS)
        raise ConfigurationError(f"There is no preset `{preset}`; there are {known}.")
    if profile is not None:
        name, base_url = name or profile.name, base_url or profile.base_url
        key = key if key is not None else ""
    name = _usable(name if name is not None else _ask("Name (its models become NAME/model)", "NAME"))
    base_url = base_url if base_url is not None else _ask("Base URL, such as https://host/v1", "--base-url")
    checked(base_url.strip(), what="the base URL", allow_insecure_http=insecure)
    if key is None and _can_ask():
        key = typer.prompt("Key, not shown (Enter for none)", default="", hide_input=True, show_default=False, err=True)
    return _New(name, base_url.strip(), _sendable((key or "").strip()), insecure)


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _ask(what: str, option: str) -> str:
    if not _can_ask():
        raise ConfigurationError(f"{option} is missing, and there is no terminal to ask at.")
    return str(typer.prompt(what, err=True))


def _sendable(key: str) -> str:
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError("The key cannot be sent: a key is one line of printable ASCII characters.")
    return key


def _usable(name: str) -> str:
    if name == "stackspot" or NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"`{name}` cannot be a server's name: letters, digits, `-`, `_` and `.` can be, and `stackspot` is taken."
        )
    return name


def _add(new: _New, *, force: bool) -> None:
    path = users_file()
    keys = _keys(new)
    text = with_provider(text_of(path), new.name, keys)
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


def _server(new: _New) -> CompatibleProvider:
    """Return the new server as the configuration will have it: the machine's own proxy and certificates hold for it."""
    base = checked(new.base_url, what="the base URL", allow_insecure_http=new.insecure)
    network = next(iter(current().accounts.values())).network
    return CompatibleProvider(new.name, base, SecretStr(new.key) if new.key else None, network=network)


def _connect(server: CompatibleProvider) -> DiscoveryResult:
    return lists.catalogue.refresh([server], PATIENCE)[server.name]


def _save(path: Path, text: str, new: _New) -> None:
    if new.key:
        save_variable(users_env_file(), variable_of(new.name), new.key)
        typer.echo(f"The key is in {users_env_file()} as {variable_of(new.name)}, readable only for you.")
    write_text(path, text)


def _show_use(server: CompatibleProvider) -> None:
    usable = [model.public for model in models_of(server, lists.catalogue.known(server)) if model.chat]
    typer.echo(f"Use it: aider --model {usable[0] if usable else f'{server.name}/MODEL'}")


def scan() -> None:
    """Look for the well-known servers on this machine, and add the new ones."""
    bases = {profile.base_url: profile.name for profile in profiles.PRESETS if profile.base_url}
    found = discover([CompatibleProvider(name, base) for base, name in bases.items()])
    configured = {_same_place(server.api_base): server.name for server in current().compatible.values()}
    running = [(base, found[name].snapshot) for base, name in bases.items()]
    answered = [(base, snapshot) for base, snapshot in running if snapshot is not None]
    if not answered:
        typer.echo(f"None of these answers: {', '.join(bases)}.")
        raise typer.Exit(1)
    for base, snapshot in answered:
        name = snapshot.profile if snapshot.profile != profiles.GENERIC.name else bases[base]
        known = configured.get(_same_place(base))
        if known is not None:
            typer.echo(f"{base}: configured already, as {known}.")
        elif not _can_ask() or typer.confirm(f"Add {base} as {name}?", default=True):
            _add(_New(name, base, ""), force=False)


def _same_place(url: str) -> str:
    return url.replace("://127.0.0.1", "://localhost").rstrip("/").removesuffix("/v1")


def variable_of(name: str) -> str:
    """Return the environment variable that holds a provider's key."""
    plain = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"{'_' if plain[:1].isdigit() else ''}{plain}_API_KEY"
