"""OpenAI-compatible servers: what they list, what their models take, and how they differ.

`model` holds the words that the others speak. `listing` reads a list of models, and `entries` what is said of one
model; `limits` finds the limits in it and decides context and output, with `families` where only a name is known;
`chat_models` tells chat models from the rest. `profiles` holds what is peculiar to a kind of server. `discovery` asks
servers, `catalogue` remembers, `server` puts together what is known of a configured server, and `server_call` makes a
call to it for the pipeline; where the server knows no tools, `tools_by_prompt` asks for them in the prompt.
"""
