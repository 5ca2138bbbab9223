"""The files of a stage that is published, and those that stay at home."""

from pathlib import Path

import modeling_csr

CARD = """---
license: apache-2.0
tags:
- emotion
---

<!-- generated: model -->
# org/csr
<!-- end of model -->

<!-- generated: results -->
Scores: {scores}
<!-- end of results -->
"""
FILES = {
    "README.md": CARD.format(scores="first").encode(),
    "config.json": b'{"model_type": "csr"}',
    "eval_results.json": b"{}",
    "model.safetensors": bytes(range(256)) * 2000,
    "modeling_csr.py": (Path(modeling_csr.__file__).parent / "modeling_csr.py").read_bytes(),
    "space.png": b"\x89PNG\0\1",
    "tokenizer.json": b"{}",
}
LEFT_AT_HOME = {
    "checkpoint-10/model.safetensors": b"1",
    "dev_logits.npy": b"2",
    "optimizer.pt": b"3",
    "pytorch_model.bin": b"4",
    "rng_state.pth": b"5",
    "scores.npz": b"6",
    "stage.json.unfinished": b"7",
    "texts.pkl": b"8",
    "trainer_state.json": b"{}",
    "training_args.bin": b"9",
}
