"""LiteLLM Proxy in front of the configuration's models: OpenAI's and Anthropic's protocols for every other tool.

`configuration` makes the proxy's configuration, `master_key` keeps its key, `tools` words the settings of the
programs that will use it, and `launch` runs it. LiteLLM does the rest.
"""
