"""The endpoints of LiteLLM Proxy that a gateway serves.

Behind the others (moderations, files, batches, assistants, routes that pass everything on to a vendor) is no model of
the configuration. With a vendor's key among the gateway's variables they would send text there, on that account.
"""

from __future__ import annotations

import re

_SERVED = re.compile(
    r"(/v1)?/(chat/completions|completions|responses|messages(/count_tokens)?|embeddings"
    r"|images/(generations|edits)|audio/(speech|transcriptions)|rerank|models(/.+)?|model/info)"
    r"|/(v2/model/info|model_group/info|utils/token_counter|metrics|health(/.*)?)"
)


def is_served(path: str) -> bool:
    """Tell whether the gateway serves a path; `path` is that of the URL."""
    return _SERVED.fullmatch(path.rstrip("/")) is not None
