"""OpenAI-compatible servers: what they list, what their models take, and how they differ.

These rooms know no HTTP: `figure` and `model` are the words the others speak; `listing` (with `entry`) reads a model
list and `details` the extra endpoints of single servers; `limits` (with `names` and `families`) decides context and
output; `kinds` tells chat models from the rest, `parameters` what to expect of a size; `profiles` holds what is
peculiar to a server, `recognise` tells which it is, and `overflow` recognises its complaint about a prompt's length.
"""
