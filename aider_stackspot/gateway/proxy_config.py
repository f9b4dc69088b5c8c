"""LiteLLM Proxy's configuration, made from this package's settings.

No secret stands in it: every process that reads it has this package installed, and with it the same settings. The
only key it needs, the proxy's own, it takes from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from aider_stackspot.compatible.server import KnownModel
from aider_stackspot.config import Model, Settings
from aider_stackspot.config.settings import TOTAL_TIMEOUT, with_account
from aider_stackspot.pipeline.audience import GATEWAY_ARGUMENT

MASTER_KEY_VARIABLE = "LITELLM_MASTER_KEY"
GUARD = "aider_stackspot.gateway.proxy_hooks.guard"
KEY_CHECK = "aider_stackspot.gateway.proxy_hooks.check"
_SERVER_INFO = {"mode": "chat", GATEWAY_ARGUMENT: True}
_SERVED_PATHS = re.compile(
    r"(/v1)?/(chat/completions|completions|responses|messages(/count_tokens)?|embeddings"
    r"|images/(generations|edits)|audio/(speech|transcriptions)|rerank|models(/.+)?|model/info)"
    r"|/(v2/model/info|model_group/info|utils/token_counter|metrics|health(/.*)?)"
)

_HEADER = """\
# LiteLLM Proxy's configuration for the models of `aider-stackspot`. Run it where the package is installed:
#   pip install 'aider-stackspot[litellm-proxy]'
#   litellm --config this-file.yaml --host 127.0.0.1 --port 4000
# Every process needs LITELLM_MASTER_KEY (sk-...), STACKSPOTAI_CLIENT_ID, STACKSPOTAI_CLIENT_KEY and STACKSPOTAI_REALM,
# and the .aider.litellm.yml in its working directory or its home, if there is one. LITELLM_MODE=PRODUCTION keeps
# LiteLLM from loading a .env file by itself.
"""


def proxy_config(settings: Settings, known: Mapping[str, Iterable[KnownModel]] | None = None) -> dict[str, Any]:
    """Return the configuration as plain values.

    Args:
        settings: this package's.
        known: the models of each OpenAI-compatible server, by the server's name. A server of which no model is known
            gets a wildcard: each of its models can be used, but none is listed.
    """
    stackspot = settings.listed_models()
    models = [_stackspot_entry(name, model) for name, model in stackspot.items()]
    for server in settings.compatible:
        chatting = [model for model in (known or {}).get(server, ()) if model.chat]
        entries = [_server_entry(name, model) for model in chatting for name in model.names]
        models += entries or [_wildcard(server)]
    aliases = {with_account(name, model): name for name, model in stackspot.items()}
    return {
        "model_list": models,
        "router_settings": {
            # This package retries, and it knows when that can help. A pause after a failure would only hide its text.
            "num_retries": 0,
            "disable_cooldowns": True,
            "model_group_alias": {
                full: {"model": name, "hidden": True} for full, name in aliases.items() if full != name
            },
        },
        "litellm_settings": {
            "num_retries": 0,
            "request_timeout": int(TOTAL_TIMEOUT),
            "drop_params": True,
            "telemetry": False,
            "callbacks": [GUARD],
        },
        "general_settings": {
            "master_key": f"os.environ/{MASTER_KEY_VARIABLE}",
            "cancel_on_disconnect": True,  # else only a stream ends when nobody waits for it any more
        },
    }


def is_served(path: str) -> bool:
    """Tell whether the gateway serves the path of a URL.

    Behind LiteLLM Proxy's other endpoints (moderations, files, batches, assistants, routes that pass everything on to a
    vendor) is no model of the configuration. With a vendor's key among the gateway's variables they would send text
    there, on that account.
    """
    return _SERVED_PATHS.fullmatch(path.rstrip("/")) is not None


def to_yaml(config: Mapping[str, Any]) -> str:
    """Return the configuration as a file for people who run their own proxies."""
    return _HEADER + yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, width=120)


def _stackspot_entry(name: str, model: Model) -> dict[str, Any]:
    return {
        "model_name": name,
        "litellm_params": {"model": model.route, GATEWAY_ARGUMENT: True},
        "model_info": {
            "mode": "chat",
            "max_tokens": model.max_output_tokens,
            "max_input_tokens": model.max_input_tokens,
            "max_output_tokens": model.max_output_tokens,
            "supports_function_calling": model.tools,
            "supports_vision": False,
        },
    }


def _server_entry(name: str, model: KnownModel) -> dict[str, Any]:
    said = {
        "max_input_tokens": model.context.value if model.context else None,
        "max_output_tokens": model.output.value,
        "supports_function_calling": model.capabilities.tools,
        "supports_vision": model.capabilities.vision,
    }
    info = {**_SERVER_INFO, **{name: value for name, value in said.items() if value is not None}}
    return {"model_name": name, "litellm_params": {"model": model.public}, "model_info": info}


def _wildcard(server: str) -> dict[str, Any]:
    return {"model_name": f"{server}/*", "litellm_params": {"model": f"{server}/*"}, "model_info": dict(_SERVER_INFO)}
