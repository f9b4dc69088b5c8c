"""LiteLLM Proxy in front of the configuration's models: OpenAI's and Anthropic's protocols for every other tool.

`configuration` makes the proxy's configuration, `master_key` keeps its key, `tools` words the settings of the
programs that will use it, and `launch` runs it. LiteLLM does the rest.
"""

BEHIND_GATEWAY = "aider_stackspot_gateway"
"""An argument of a call: its caller is a user of the gateway, who has a key of the gateway and none of StackSpot."""
