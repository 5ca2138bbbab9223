"""Mean-pooled representations of texts by a frozen encoder, cached on disk."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from trainers.data import digest, file_digest, load_tokenizer, sealed_array

# Texts per file: what a killed run loses at most.
CHUNK = 256


class FrozenEncoder:
    """
    An encoder that reads each text once: its representations are kept in files of 256 texts.

    Args:
        folder (`str` or `Path`): The encoder, with its tokenizer.
        cache_dir (`Path`): Folder of the files.
        prefix (`str`, defaults to `""`): Put before each text; E5 was trained with `"query: "`.
        steps (`Sequence[str]`): Steps of the tweet normalisation.
        max_length (`int`, defaults to 128): Longer texts are cut to this number of tokens.
        batch_size (`int`, defaults to 16): Texts encoded at a time, of similar length.
    """

    def __init__(
        self,
        folder: str | Path,
        cache_dir: Path,
        prefix: str = "",
        steps: Sequence[str] = (),
        max_length: int = 128,
        batch_size: int = 16,
    ) -> None:
        self.folder, self.cache_dir, self.batch_size = Path(folder), cache_dir, batch_size
        self.prefix, self.steps, self.max_length = prefix, tuple(steps), max_length
        files = [
            file_digest(path) for path in sorted(self.folder.iterdir()) if path.suffix in (".json", ".safetensors")
        ]
        self._made_with = [files, prefix, self.steps, max_length]
        cache_dir.mkdir(parents=True, exist_ok=True)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Loaded, like the model, only if there is something to encode."""
        return load_tokenizer(self.folder, self.steps, self.max_length)

    @cached_property
    def model(self) -> PreTrainedModel:
        return AutoModel.from_pretrained(self.folder).eval()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Representations of shape `(texts, hidden_size)`, as float32."""
        texts = list(texts)
        return np.concatenate([self._chunk(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)])

    def _chunk(self, texts: list[str]) -> np.ndarray:
        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.save(file, self.encode(texts))

        return sealed_array(self.cache_dir / f"{digest([self._made_with, texts])}.npy", write)

    @torch.inference_mode()
    def encode(self, texts: list[str]) -> np.ndarray:
        """The same, computed whether they are cached or not."""
        input_ids = self.tokenizer([self.prefix + text for text in texts], truncation=True)["input_ids"]
        order = np.argsort([len(ids) for ids in input_ids], kind="stable")
        vectors = np.zeros((len(texts), self.model.config.hidden_size), np.float32)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            batch = self.tokenizer.pad({"input_ids": [input_ids[row] for row in rows]}, return_tensors="pt")
            mask = batch["attention_mask"].unsqueeze(-1)
            states = self.model(**batch).last_hidden_state
            vectors[rows] = ((states * mask).sum(dim=1) / mask.sum(dim=1)).numpy()
        return vectors
