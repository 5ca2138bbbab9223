"""From texts to batches of the emotion pipeline: tokens in windows, sorted by length. Saved alongside the pipeline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.tokenization_utils_base import LARGE_INTEGER

Tokens = Mapping[str, list[int]]


@dataclass(frozen=True)
class Window:
    """A part of a text that the model reads at once; usually all of it.

    Attributes:
        text (`int`): Number of the text.
        num_tokens (`int`): Number of its tokens without special ones, and at least 1, so that a text without any known
            token still has a mean.
        tokens (`Mapping[str, list[int]]`): The inputs of the model.
    """

    text: int
    num_tokens: int
    tokens: Tokens

    def __len__(self) -> int:
        return len(self.tokens["input_ids"])


def readable_positions(model: nn.Module) -> float:
    """Number of tokens that every encoder in the model can read at once."""
    limits = [float("inf")]
    for module in model.modules():
        if isinstance(module, PreTrainedModel):
            limits.append(getattr(module.config, "max_position_embeddings", None) or float("inf"))
        table = getattr(module, "position_embeddings", None)
        if isinstance(table, nn.Embedding):
            # RoBERTa and MPNet number tokens starting after the padding index.
            first = 0 if table.padding_idx is None else table.padding_idx + 1
            limits.append(table.num_embeddings - first)
    return min(limits)


class TextReader:
    """Reads texts as windows of tokens.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer. Its state is left alone: other threads may be using it.
        limit (`float`): Number of tokens in a window, including special ones.
        stride (`int`, *optional*): Number of tokens shared by neighbouring windows; a quarter of a window by default.
        truncation (`bool` or `str`): Whether and how longer texts are cut, and not read in windows.
    """

    def __init__(self, tokenizer: Any, limit: float, stride: int | None = None, truncation: bool | str = False) -> None:
        self.tokenizer = tokenizer
        self.limit = limit
        self.stride = stride
        self.truncation = truncation
        self.cut = truncation not in (False, "do_not_truncate")

    def read(self, texts: Sequence[dict[str, str]]) -> list[Window]:
        """The windows of all texts, which have a `text` and maybe a `text_pair`.

        Raises:
            ValueError: If a text is too long for the model and cannot be read in windows.
        """
        windows = []
        for pair in (False, True):
            rows = [row for row, text in enumerate(texts) if ("text_pair" in text) == pair]
            if not rows:
                continue
            # One call for all texts, which the tokenizer spreads over its own threads.
            encoding = self.tokenizer(
                **{name: [texts[row][name] for row in rows] for name in texts[rows[0]]}, verbose=False
            )
            names = [name for name in encoding if name in self.tokenizer.model_input_names]
            special = self.tokenizer.num_special_tokens_to_add(pair=pair)
            for row, *values in zip(rows, *(encoding[name] for name in names), strict=True):
                tokens = dict(zip(names, values, strict=True))
                fits = len(tokens["input_ids"]) <= self.limit
                for part in [tokens] if fits else self._parts(texts[row], tokens, special):
                    windows.append(Window(row, max(len(part["input_ids"]) - special, 1), part))
        return windows

    def _parts(self, texts: dict[str, str], tokens: Tokens, special: int) -> list[Tokens]:
        length = len(tokens["input_ids"])
        if self.cut and ("text_pair" in texts or not self.tokenizer.is_fast):
            shorter = self.tokenizer(**texts, truncation=self.truncation, max_length=int(self.limit))
            return [{name: shorter[name] for name in tokens}]
        if "text_pair" in texts:
            raise ValueError(
                f"A text pair has {length} tokens, but the model reads at most {self.limit}; only single texts can be "
                "read in windows. Pass truncation=True to cut it."
            )
        if not self.tokenizer.is_fast:
            raise ValueError(
                f"A text has {length} tokens, but the model reads at most {self.limit}; to read it in windows, pass a "
                "fast tokenizer, or truncation=True to cut it."
            )
        size = int(self.limit) - special
        stride = 0 if self.cut else size // 4 if self.stride is None else self.stride
        if stride >= size:
            raise ValueError(f"stride ({stride}) must be less than {size}, the number of text tokens in a window.")
        # The tokenizer could cut it itself, but it would change its own state to do so.
        encoded = self.tokenizer(texts["text"], add_special_tokens=False, verbose=False).encodings[0]
        encoded.truncate(size, stride=stride, direction=self.tokenizer.truncation_side)
        first = self.tokenizer.backend_tokenizer.post_process(encoded, None, True)
        fields = {"input_ids": "ids", "token_type_ids": "type_ids", "attention_mask": "attention_mask"}
        found = [first] if self.cut else [first, *first.overflowing]
        return [{name: getattr(one, fields[name]) for name in tokens} for one in found]


class Batcher:
    """Puts windows of like length into batches.

    Only padding on the right leaves the results of all models alone, and only if they are told of it. With other
    tokenizers, a batch holds windows of one length.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer, which says how to pad.
        tokens (`int`): Number of tokens in a batch, including padding; a longer window is a batch by itself.
        size (`int`, *optional*): Number of windows in a batch, whatever their length, in place of `tokens`.
        width (`int`, *optional*): Number of tokens that all windows are padded to.
    """

    def __init__(self, tokenizer: Any, tokens: int, size: int | None = None, width: int | None = None) -> None:
        self.tokens = tokens
        self.size = size
        self.width = width
        self.fill = {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id}
        self.left = tokenizer.padding_side == "left"
        can_pad = tokenizer.pad_token_id is not None and "attention_mask" in tokenizer.model_input_names
        if width is not None and not can_pad:
            raise ValueError('padding="max_length" needs a tokenizer with a padding token and an attention mask.')
        self.mixes_lengths = can_pad and not self.left

    def batches(self, windows: Sequence[Window]) -> Iterator[list[int]]:
        """The numbers of the windows of each batch, longest first."""
        batch: list[int] = []
        for number in sorted(range(len(windows)), key=lambda number: -len(windows[number])):
            if batch and self._is_full(batch, windows[batch[0]], windows[number]):
                yield batch
                batch = []
            batch.append(number)
        if batch:
            yield batch

    def _is_full(self, batch: list[int], longest: Window, following: Window) -> bool:
        if len(longest) != len(following) and not self.mixes_lengths and self.width is None:
            return True
        if self.size is not None:
            return len(batch) == self.size
        return (len(batch) + 1) * (self.width or len(longest)) > self.tokens

    def join(self, windows: Sequence[Window]) -> dict[str, torch.Tensor]:
        """The windows of a batch as tensors."""
        width = self.width or max(map(len, windows))
        joined = {}
        for name in windows[0].tokens:
            rows = []
            for window in windows:
                padding = [self.fill.get(name, 0)] * (width - len(window))
                row = window.tokens[name]
                rows.append([*padding, *row] if self.left else [*row, *padding])
            joined[name] = torch.tensor(rows)
        return joined


class WindowCombiner:
    """Combines the values of windows into those of their texts.

    Args:
        windows (`Sequence[Window]`): The windows of all texts.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self.windows = windows
        self.count = 1 + max(window.text for window in windows)
        # Texts of a single window each are not combined; their windows are in the order of the texts.
        self.single = all(window.text == number for number, window in enumerate(windows))

    def highest(self, values: torch.Tensor) -> torch.Tensor:
        """For each text, the highest value in any of its windows; `values` are `(windows, columns)`."""
        if self.single:
            return values
        rows = self._rows()[:, None].expand_as(values)
        return torch.zeros(self.count, values.shape[1]).scatter_reduce(0, rows, values, "amax", include_self=False)

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """For each text, the mean over its windows, weighted by their number of text tokens."""
        if self.single:
            return values
        rows = self._rows()
        weights = torch.tensor([float(window.num_tokens) for window in self.windows])
        weights = weights / torch.zeros(self.count).index_add(0, rows, weights)[rows]
        return torch.zeros(self.count, values.shape[1]).index_add(0, rows, weights[:, None] * values)

    def _rows(self) -> torch.Tensor:
        return torch.tensor([window.text for window in self.windows])


def padded_length(padding: bool | str, limit: float) -> int | None:
    """Number of tokens that all texts are padded to; `None` for as many as a batch needs.

    Raises:
        ValueError: If all are to be padded to the limit, and there is none.
    """
    if padding != "max_length":
        return None
    if limit > LARGE_INTEGER:
        raise ValueError('padding="max_length" needs max_length: neither the tokenizer nor the model has a limit.')
    return int(limit)


__all__ = ["Batcher", "TextReader", "Window", "WindowCombiner", "padded_length", "readable_positions"]
