"""What LiteLLM and aider know a model by: the fields of LiteLLM's `model_cost`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aider_stackspot.config import Model

if TYPE_CHECKING:  # what knows servers is loaded with the first server
    from aider_stackspot.compatible.server import KnownModel


def info_of_model(model: Model, slug: str) -> dict[str, Any]:
    """Return what is known of a StackSpot model; limits in tokens.

    Args:
        model: the model.
        slug: the account's name in LiteLLM's dispatcher.
    """
    prices = {
        "input_cost_per_token": model.input_cost_per_token,
        "output_cost_per_token": model.output_cost_per_token,
    }
    return {
        "litellm_provider": slug,
        "mode": "chat",
        "max_tokens": model.max_output_tokens,
        "max_input_tokens": model.max_input_tokens,
        "max_output_tokens": model.max_output_tokens,
        "supports_system_messages": True,
        "supports_vision": model.vision,
        "supports_pdf_input": model.vision,
        "supports_function_calling": model.tools,
        **{name: price for name, price in prices.items() if price is not None},
    }


def info_of_servers_model(model: KnownModel, slug: str) -> dict[str, Any]:
    """Return what is known of a server's model. What nobody said is left out, not made up.

    Args:
        model: the model.
        slug: the server's name in LiteLLM's dispatcher.
    """
    said = {
        "max_input_tokens": model.context.value if model.context else None,
        "supports_vision": model.capabilities.vision,
        "supports_function_calling": model.capabilities.tools,
        "supports_reasoning": model.capabilities.reasoning,
        "input_cost_per_token": model.price.input_per_token if model.price else None,
        "output_cost_per_token": model.price.output_per_token if model.price else None,
    }
    return {
        "litellm_provider": slug,
        "mode": "chat",
        "max_tokens": model.output.value,
        "max_output_tokens": model.output.value,
        **{name: value for name, value in said.items() if value is not None},
    }
