"""A server's model list, in any of the envelopes that servers put around one (docs/servers.md, "Model lists")."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from aider_stackspot.compatible.entries import line, model_of
from aider_stackspot.compatible.model import ListedModel, TokenLimit, filled, merged
from aider_stackspot.errors import MalformedAnswer
from aider_stackspot.redact import without_likely_keys

_ENVELOPES = ("data", "models", "model_names")
_MAX_EXCERPT = 160
"""Characters of a foreign answer that an error repeats."""


class NotAModelList(MalformedAnswer):
    """The body is no model list. `what` says what it is instead: "an HTML page (Sign in)"."""

    def __init__(self, what: str) -> None:
        super().__init__(f"expected a list of models, got {what}")
        self.what = what


def parse(body: bytes | str) -> list[ListedModel]:
    """Return the models of a `/models` answer, in the server's order and without duplicates.

    Args:
        body: the answer as it came.

    Raises:
        NotAModelList: if it is something else. An empty list is a list: it raises nothing.
    """
    return read(decode(body))


def decode(body: bytes | str) -> Any:
    """Return a JSON body as Python values.

    Raises:
        NotAModelList: if it is not JSON, saying what it looks like.
    """
    try:
        return json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError):
        raise NotAModelList(_describe_text(body)) from None


def read(document: object) -> list[ListedModel]:
    """Return the models of a decoded `/models` answer.

    One entry that cannot be read is left out and never costs the others. Adapters (vLLM's LoRA entries) take the
    served context of their base model; entries with the same id become one.

    Raises:
        NotAModelList: if the document is no list, or none of its entries names a model.
    """
    found = entries(document)
    models = _joined(filter(None, map(model_of, found)))
    if found and not models:
        raise NotAModelList(f"a list of {len(found)} entries, none of which names a model")
    if isinstance(document, Mapping) and isinstance(document.get("data"), list) and document.get("models"):
        # llama-server sends the same models twice; what Ollama's shape knows is only in the second list.
        models = enrich(models, _joined(filter(None, map(model_of, _items(document["models"])))))
    bases = {key: model for model in reversed(models) for key in (model.root, model.id) if key and model.served}
    return [_with_base(model, bases.get(model.parent or "")) for model in models]


def entries(document: object) -> list[Any]:
    """Return the undigested entries of a list answer.

    Raises:
        NotAModelList: if there is no list in it.
    """
    if isinstance(document, list):
        return document
    if not isinstance(document, Mapping):
        raise NotAModelList(f"a JSON {_JSON_NAMES.get(type(document), 'value')}")
    present = [key for key in _ENVELOPES if key in document]
    for key in present:
        items = _items(document[key])
        if items:
            return items
    if _failure(document) or not any(document[key] is None or _is_list(document[key]) for key in present):
        raise NotAModelList(_describe_object(document))
    return []


def find(models: Iterable[ListedModel], name: str) -> ListedModel | None:
    """Return the model that is called `name`: by its id, or by an alias that no other model shares."""
    models = list(models)
    folded = name.casefold()
    for known_as in (
        lambda model: model.id == name,
        lambda model: name in model.aliases,
        lambda model: folded in map(str.casefold, (model.id, *model.aliases)),
    ):
        known = [model for model in models if known_as(model)]
        if known:
            return known[0] if len(known) == 1 else None
    return None


def enrich(models: Iterable[ListedModel], extra: Iterable[ListedModel]) -> list[ListedModel]:
    """Return `models` with their gaps filled from another endpoint's list; models only it has are not added."""
    by_id: dict[str, ListedModel] = {}
    by_alias: dict[str, ListedModel] = {}
    for more in extra:
        by_id.setdefault(more.id, more)
        for alias in more.aliases:
            by_alias.setdefault(alias, more)
    known = [(model, by_id.get(model.id) or by_alias.get(model.id)) for model in models]
    return [filled(model, more) if more else model for model, more in known]


def _items(value: object) -> list[Any]:
    if isinstance(value, Mapping):
        value = next((value[key] for key in _ENVELOPES if isinstance(value.get(key), list)), None)
    return value if isinstance(value, list) else []


def _is_list(value: object) -> bool:
    return isinstance(value, list) or (isinstance(value, Mapping) and any(key in value for key in _ENVELOPES))


def _joined(models: Iterable[ListedModel]) -> list[ListedModel]:
    by_id: dict[str, ListedModel] = {}
    for model in models:
        by_id[model.id] = merged(by_id[model.id], model) if model.id in by_id else model
    return list(by_id.values())


def _with_base(model: ListedModel, base: ListedModel | None) -> ListedModel:
    """Return an adapter with its base model's served context, which vLLM leaves out (docs/servers.md, "vLLM")."""
    if model.served or base is None or base.served is None:
        return model
    return replace(model, served=TokenLimit(base.served.value, f"{base.served.origin} of {base.id}"))


def _integer(digits: str) -> int | None:
    # Python refuses to read numbers of some thousand digits, and one entry's nonsense must not cost the whole list.
    return int(digits) if len(digits) <= 20 else None


_JSON_NAMES = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
}


def _failure(document: Mapping[Any, Any]) -> str | None:
    """Return the error that a body carries, in the words of the server (docs/servers.md, "Errors")."""
    error = document.get("error")
    if isinstance(error, Mapping):
        error = error.get("message") or error.get("type") or "unnamed"
    failed = document.get("success") is False or document.get("object") == "error"
    said = error or document.get("detail") or (document.get("message") if failed else None)
    if said:
        return said if isinstance(said, str) else type(said).__name__
    return "unnamed" if failed else None


def _describe_object(document: Mapping[Any, Any]) -> str:
    failure = _failure(document)
    if failure:
        return f'an error: "{_excerpt(failure)}"'
    keys = ", ".join(_excerpt(str(key), 30) for key in list(document)[:6])
    return f"a JSON object with {keys}" if keys else "an empty JSON object"


def _describe_text(body: bytes | str) -> str:
    text = body if isinstance(body, str) else body[:4096].decode("utf-8", "replace")
    text = text[:4096].lstrip("\ufeff \t\r\n")
    if not text:
        return "an empty answer"
    if re.match(r"<(!doctype\s+html|html|head|body|\?xml|!--)", text, re.IGNORECASE):
        title = re.search(r"<title[^>]{0,200}>([^<]{1,200})", text, re.IGNORECASE)
        named = _excerpt(title.group(1), 80) if title else ""
        return f"an HTML page ({named})" if named else "an HTML page"
    if text.startswith(("data:", "event:")):
        return "an event stream"
    if text.startswith(("{", "[")):
        return f"damaged JSON: {_excerpt(text, 60)}"
    return f'plain text: "{_excerpt(text)}"'


def _excerpt(text: str, longest: int = _MAX_EXCERPT) -> str:
    """Return the beginning of a foreign text on one line, without anything that may be a key.

    Servers like to repeat the key they refused ("Incorrect API key provided: sk-...").
    """
    flat = line(without_likely_keys(text[:2000])) or ""
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
