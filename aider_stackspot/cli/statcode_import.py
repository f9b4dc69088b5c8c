"""`aider-stackspot providers import`: the servers that a StatCode file has, with its choice of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from aider_stackspot.cli.new_server import NewServer, connect, save, usable_name
from aider_stackspot.cli.terminal import before_writing, say
from aider_stackspot.compatible.chat_models import chat_verdict
from aider_stackspot.compatible.model import ListedModel
from aider_stackspot.config.display import printable
from aider_stackspot.config.locations import AIDER_NAME
from aider_stackspot.config.statcode import StatCodeFile, StatCodeServer, read_statcode_file, usual_path
from aider_stackspot.errors import ConfigurationError


def take_over(file: Path | None, name: str | None, *, allow_insecure_http: bool) -> None:
    """Save the servers of a StatCode file.

    Args:
        file: the file; its usual place if `None`.
        name: another name for its only server.
        allow_insecure_http: allow `http://` to another machine.
    """
    path = file if file is not None else usual_path()
    with before_writing():
        found = read_statcode_file(path, allow_insecure_http=allow_insecure_http)
        if not found.servers:
            raise ConfigurationError(f"{path}: there is no server with a base URL in it.")
        if name is not None and len(found.servers) > 1:
            raise ConfigurationError(f"--name is for one server, and {path} has {len(found.servers)}.")
        wanted = _Wanted(found, name)
        servers = [wanted.new_server(server, allow_insecure_http) for server in found.servers]
        for line in found.left_out:
            say(f"Not taken over: {line}")
        for server in servers:
            connect(server, force=True)
    for server in servers:
        save(server)
    for line in wanted.advice(servers):
        typer.echo(line)


@dataclass(frozen=True)
class _Wanted:
    """What the file wants to have, in our names. `name` is another name for its only server."""

    found: StatCodeFile
    name: str | None

    def new_server(self, server: StatCodeServer, allow_insecure_http: bool) -> NewServer:
        """Return a server as it is to be saved; models only where there is something to say about them."""
        name = usable_name(self._name_of(server))
        new = NewServer(name, server.base_url, server.key.get_secret_value(), allow_insecure_http)
        weak = self._public(self.found.summarize_model)
        if weak is None:
            return new
        main = self._public(self.found.orchestration_model)
        own = f"{name}/"
        named = [*server.models, *([main.removeprefix(own)] if main is not None and main.startswith(own) else [])]
        models = {
            model: {"weak_model": weak}
            for model in dict.fromkeys(named)
            if f"{own}{model}" != weak and chat_verdict(ListedModel(model)).chat and len(model.split()) == 1
        }
        return replace(new, models=models)

    def advice(self, servers: Sequence[NewServer]) -> list[str]:
        """Return what aider's own settings need besides, in lines."""
        unknown, wanted = [], []
        for option, said in (("model", self.found.orchestration_model), ("weak-model", self.found.summarize_model)):
            public = self._public(said)
            if said and public is None:
                unknown.append(f"Not taken over: `{printable(said)}` is a model of none of these servers.")
            elif public is not None and not (option == "weak-model" and any(server.models for server in servers)):
                wanted.append(f"{option}: {public}")
        head = [f"To start aider with StatCode's choice, put this into {AIDER_NAME}:"] if wanted else []
        return [*unknown, *head, *wanted]

    def _name_of(self, server: StatCodeServer) -> str:
        return self.name or server.name

    def _public(self, model: str) -> str | None:
        """Return a model's name for aider; `None` where the file names none, or one of another vendor's.

        StatCode writes a model with its provider in front, or alone.
        """
        if not model.isprintable():  # a line end in it would be another line of aider's settings
            return None
        servers = self.found.servers
        provider, slash, rest = model.partition("/")
        for server in servers:
            if slash and rest and provider == server.name and model not in server.models:
                return f"{self._name_of(server)}/{rest}"
        listing = [server for server in servers if model in server.models]
        if not model or provider in self.found.other_providers or (len(servers) > 1 and len(listing) != 1):
            return None
        return f"{self._name_of((listing or list(servers))[0])}/{model}"
