"""What a program has to know of a gateway: its address, and what the model takes that it is to use."""

from __future__ import annotations

from aider_stackspot.config.settings import MAX_INPUT_TOKENS, MAX_OUTPUT_TOKENS
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.configuration import Configuration, StackSpotTarget
from aider_stackspot.gateway.errors import GatewayError
from aider_stackspot.gateway.programs import Connection
from aider_stackspot.pipeline.stackspot import DEFAULT_MODEL


def base_url(host: str, port: int) -> str:
    """Return the address a program on this machine uses, without a path."""
    if host in ("", "0.0.0.0", "::", "[::]"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host and not host.startswith("[") else f"http://{host}:{port}"


def connection(url: str, key: str, configuration: Configuration, name: str = "") -> Connection:
    """Return what programs have to know.

    Args:
        url: the gateway's address, without a path.
        key: its key, or words in its place.
        configuration: which names mean which models.
        name: the model; the first one that can be called if empty.

    Raises:
        ConfigurationError: there is no model that could be used.
    """
    name = name or _first_model(configuration)
    try:
        target = configuration.find(name)
    except GatewayError:
        raise ConfigurationError(f"There is no model `{name}`; `aider-stackspot models` lists them.") from None
    if isinstance(target, StackSpotTarget):
        return Connection(url, key, name, target.model.max_input_tokens, target.model.max_output_tokens)
    output = target.known.output.value or MAX_OUTPUT_TOKENS
    return Connection(url, key, name, target.context or MAX_INPUT_TOKENS, output)


def _first_model(configuration: Configuration) -> str:
    usable = configuration.stackspot_models()
    if usable or not configuration.settings().compatible:
        return DEFAULT_MODEL if DEFAULT_MODEL in usable or not usable else next(iter(usable))
    for known in configuration.servers_models():
        return known.public
    raise ConfigurationError("No server tells which models it has: name one, or see `aider-stackspot models`.")
