"""Writes a language model of four megabytes that says what it was told to: enough for a real server to serve.

It is llama's architecture with a vocabulary of single characters and of whole answers. Its weights are a table: which
token follows which. Only the prompt's last character counts, so a template for chats can choose the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf  # type: ignore[import-not-found]
import numpy as np

HEADS, INNER, END = 4, 64, 2
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
"""How the vocabulary writes a space."""


def write(path: Path, context: int, sayings: Mapping[str, str]) -> None:
    """Write the model.

    Args:
        path: the file.
        context: tokens that it claims to have been trained for.
        sayings: the answer to a prompt by the prompt's last character. After any other character it babbles.
    """
    texts, kinds = _vocabulary(list(sayings.values()))
    follows = _table(texts, sayings)
    width = len(follows)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // HEADS)
    writer.add_vocab_size(len(texts))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(texts)
    writer.add_token_scores([0.0] * len(texts))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(END)
    for name, tensor in _tensors(follows[: len(texts)]).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary(sayings: list[str]) -> tuple[list[str], list[int]]:
    kind = gguf.TokenType
    control = [("<unk>", kind.UNKNOWN), ("<s>", kind.CONTROL), ("</s>", kind.CONTROL)]
    single = [(f"<0x{byte:02X}>", kind.BYTE) for byte in range(256)]
    printable = [(SPACE, kind.NORMAL), *((chr(byte), kind.NORMAL) for byte in range(0x21, 0x7F))]
    every = control + single + printable + [(saying.replace(" ", SPACE), kind.NORMAL) for saying in sayings]
    return [text for text, _ in every], [int(kind) for _, kind in every]


def _table(texts: list[str], sayings: Mapping[str, str]) -> Any:
    """Return the score of each token (row) behind each (column), in a square that all heads can share."""
    letters = [number for number, text in enumerate(texts) if len(text) == 1 and (text.isalpha() or text == SPACE)]
    width = -(-len(texts) // 64) * 64
    follows = np.zeros((width, width), dtype=np.float32)
    follows[letters] = np.random.default_rng(7).random((len(letters), width)) * 0.1
    for last, saying in sayings.items():
        said = texts.index(saying.replace(" ", SPACE))
        follows[:, [texts.index(last), said]] = 0
        follows[said, texts.index(last)] = 1
        follows[END, said] = 1
    return follows


def _tensors(follows: Any) -> dict[str, Any]:
    """Return the weights: an embedding that names the token, layers that do nothing, and the table."""
    size, width = follows.shape
    ones = np.ones(width, dtype=np.float32)
    nothing = np.zeros((width, width), dtype=np.float32)
    return {
        "token_embd.weight": np.eye(size, width, dtype=np.float32),
        "blk.0.attn_norm.weight": ones,
        "blk.0.ffn_norm.weight": ones,
        **{f"blk.0.attn_{part}.weight": nothing for part in ("q", "k", "v", "output")},
        "blk.0.ffn_gate.weight": nothing[:INNER],
        "blk.0.ffn_up.weight": nothing[:INNER],
        "blk.0.ffn_down.weight": nothing[:, :INNER],
        "output_norm.weight": ones,
        "output.weight": follows,
    }
