"""Programs that this package lives in: LiteLLM and aider. Each room is the only one that touches its host."""
