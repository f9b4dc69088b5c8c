"""HTTP protocols of other tools over the pipeline: OpenAI's Chat Completions and Responses, Anthropic's Messages.

How a request travels, and which file to change:

1. `server` listens; `access` asks for the key and reads the body; `app` knows the paths.
2. `configuration` finds the model that the request names.
3. `chat_completions`, `messages` and `responses_request` know every field of their protocol, and give a `Question`.
4. `answer` asks it: of a service of texts (`text_answer`) or of a server that knows tools itself (`function_names` has
   what it takes for a name). What a server of OpenAI's API takes as it is goes straight to `server_stream`.
5. `reply` writes what comes, in the form that `chat_completions`, `messages` or `responses_reply` gives it; `errors`
   words what fails.

`tool_settings` and `programs` know the programs that use it, `connection` what they have to be told. `proxy_config` and
`proxy_hooks` are for teams who run LiteLLM Proxy instead.
"""
