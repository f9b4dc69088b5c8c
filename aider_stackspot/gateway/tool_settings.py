"""Settings of the programs that will use the gateway, ready to paste."""

from __future__ import annotations

from textwrap import dedent

from aider_stackspot.config import Model


def base_url(host: str, port: int) -> str:
    """Return the address a program on this machine uses, without a path."""
    if host in ("", "0.0.0.0", "::", "[::]"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host and not host.startswith("[") else f"http://{host}:{port}"


def settings_for_tools(url: str, key: str, model: Model | None) -> str:
    """Return the settings of each program; what is to be pasted begins at the left margin.

    Args:
        url: the gateway's address, without a path.
        key: the gateway's key, or words in its place.
        model: the model to use in the examples; any if there is none of StackSpot.
    """
    name = model.name if model is not None else "MODEL"
    context = model.max_input_tokens if model is not None else 16_384
    output = model.max_output_tokens if model is not None else 8_192
    return dedent(f"""\
        --- Cline: API Provider "OpenAI Compatible"
        Base URL: {url}/v1
        API Key:  {key}
        Model ID: {name}
        (context window {context}, max output tokens {output}, no images)

        --- Cline's command line
        cline auth -p openai-compatible -b {url}/v1 \\
          -m {name} -k {key}

        --- Continue: ~/.continue/config.yaml
        models:
          - name: StackSpot
            provider: openai
            model: {name}
            apiBase: {url}/v1
            apiKey: {key}
            roles: [chat, edit, apply]
            capabilities: [tool_use]
            defaultCompletionOptions: {{contextLength: {context}, maxTokens: {output}}}

        --- opencode: opencode.json
        {{"model": "stackspot/{name}",
         "provider": {{"stackspot": {{
           "npm": "@ai-sdk/openai-compatible",
           "name": "StackSpot",
           "options": {{
             "baseURL": "{url}/v1",
             "apiKey": "{key}"}},
           "models": {{
             "{name}": {{"limit": {{"context": {context}, "output": {output}}}}}}}}}}}}}

        --- Claude Code
        export ANTHROPIC_BASE_URL={url}
        export ANTHROPIC_AUTH_TOKEN={key}
        export ANTHROPIC_MODEL={name}
        export ANTHROPIC_DEFAULT_HAIKU_MODEL={name}
        export CLAUDE_CODE_MAX_OUTPUT_TOKENS={output}

        --- Codex
        export STACKSPOT_GATEWAY_KEY={key}

        --- Codex: ~/.codex/config.toml
        model = "{name}"
        model_provider = "stackspot"
        [model_providers.stackspot]
        name = "StackSpot"
        base_url = "{url}/v1"
        env_key = "STACKSPOT_GATEWAY_KEY"
        wire_api = "responses"

        --- OpenAI SDK
        OpenAI(base_url="{url}/v1",
               api_key="{key}")

        --- Anthropic SDK
        Anthropic(base_url="{url}",
                  api_key="{key}")

        --- curl
        curl {url}/v1/chat/completions \\
          -H "Authorization: Bearer {key}" \\
          -H "Content-Type: application/json" \\
          -d '{{"model": "{name}", "messages":
               [{{"role": "user", "content": "Say hi"}}]}}'
        """)
