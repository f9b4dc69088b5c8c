"""Wire APIs, one a file, each a pair of pure translators: arguments to a request, events to an answer.

Nothing in here opens a socket, starts a thread, or knows LiteLLM or the configuration.
"""
