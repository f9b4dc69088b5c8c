"""Writes a language model of half a megabyte that babbles printable ASCII: enough for a real server to serve.

Run by the Python that has `gguf`: `python tiny_model.py FILE`. Nothing is downloaded.
"""

from __future__ import annotations

import sys
from typing import Any

import gguf  # type: ignore[import-not-found]
import numpy as np

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 4, 128, 2048


def write(path: str) -> None:
    """Write the model: llama's architecture, random weights from a fixed seed, one token for each character."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny-random-llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    tokens, kinds = _vocabulary()
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    for name, tensor in _tensors(len(tokens)).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary() -> tuple[list[bytes], list[int]]:
    kind = gguf.TokenType
    control = [(b"<unk>", kind.UNKNOWN), (b"<s>", kind.CONTROL), (b"</s>", kind.CONTROL)]
    single = [(f"<0x{byte:02X}>".encode(), kind.BYTE) for byte in range(256)]
    printable = [(bytes([byte]), kind.NORMAL) for byte in range(0x20, 0x7F)]
    every = control + single + printable
    return [text for text, _ in every], [int(kind) for _, kind in every]


def _tensors(size: int) -> dict[str, Any]:
    random = np.random.default_rng(7)

    def matrix(rows: int, columns: int) -> Any:
        return (random.standard_normal((rows, columns)) * 0.3).astype(np.float32)

    ones = np.ones(WIDTH, dtype=np.float32)
    tensors = {"token_embd.weight": matrix(size, WIDTH), "output_norm.weight": ones}
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        tensors |= {f"{block}.attn_norm.weight": ones, f"{block}.ffn_norm.weight": ones}
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"{block}.{part}.weight"] = matrix(WIDTH, WIDTH)
        tensors[f"{block}.ffn_gate.weight"] = matrix(INNER, WIDTH)
        tensors[f"{block}.ffn_up.weight"] = matrix(INNER, WIDTH)
        tensors[f"{block}.ffn_down.weight"] = matrix(WIDTH, INNER)
    output = matrix(size, WIDTH)
    # Control and byte tokens never win: it neither ends early nor sends half a character.
    output[: size - 95] = 0
    tensors["output.weight"] = output
    return tensors


if __name__ == "__main__":
    write(sys.argv[1])
