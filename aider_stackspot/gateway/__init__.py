"""LiteLLM Proxy in front of the configuration's models: OpenAI's and Anthropic's protocols for every other tool.

`configuration` makes the proxy's configuration, `master_key` keeps its key, `tools` words the settings of the
programs that will use it, and `launch` runs it. LiteLLM does the rest.
"""

BEHIND_GATEWAY = "aider_stackspot_gateway"
"""Says that a call's caller is a user of the gateway, who has a key of the gateway and none of what is behind it.

For StackSpot's models it is an argument of the call. For those of other servers it stands in the `model_info` that
LiteLLM Proxy adds to a call: of an argument that LiteLLM does not know, it would tell the server.
"""
