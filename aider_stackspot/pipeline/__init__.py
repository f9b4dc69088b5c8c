"""One call from its arguments to its end, whoever makes it: deadline, retries, rate limit, completeness.

Knows neither LiteLLM nor a terminal.
"""
