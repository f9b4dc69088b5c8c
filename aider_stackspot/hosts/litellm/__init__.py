"""LiteLLM: its handler classes, its registry of names, and its dispatch. The only importer of litellm."""
