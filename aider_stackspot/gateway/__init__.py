"""LiteLLM Proxy in front of the configuration's models: OpenAI's and Anthropic's protocols for every other tool.

`proxy_config` makes the proxy's configuration, `key` keeps its key and `key_check` demands it, `tool_settings` words
the settings of the programs that will use it, and `launch` runs it. LiteLLM does the rest.
"""
