"""LiteLLM: its handler classes, its registry of names, and its dispatch. The only importer of litellm.

LiteLLM is imported here, before any module of this room: its import runs the registration, which needs them whole.
"""

import litellm  # noqa: F401  # for its registration
