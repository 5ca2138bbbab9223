"""Configuration of the `recurrent-encoder` family."""

from typing import Any

from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig

from .pooling import POOLING_MODES

BRANCH_TYPES = ("cnn", "lstm", "bilstm", "gru", "bigru")


class RecurrentEncoderConfig(PreTrainedConfig):
    r"""
    Configuration of a lightweight text encoder: word embeddings read in parallel by one or more branches (CNN, LSTM,
    BiLSTM, GRU, BiGRU). The states of the branches are concatenated, so the width of the encoder is the sum of theirs.

    Args:
        vocab_size (`int`, defaults to 10000): Size of the vocabulary.
        embedding_size (`int`, defaults to 200): Width of the word embeddings.
        projection_size (`int`, *optional*): Width of a linear layer between the embeddings and the branches,
            useful for wide pretrained embeddings. No such layer by default.
        branches (`list[dict]`, *optional*): The branches; one BiLSTM of 2 x 128 by default. Each has a `type` from
            `BRANCH_TYPES`, a `hidden_size` (per direction, or per kernel size) and, optionally, `num_layers`
            (default 1; not for `cnn`) or `kernel_sizes` (default `[3, 4, 5]`; only for `cnn`).
        embedding_dropout (`float`, defaults to 0.0): Dropout on the embeddings.
        hidden_dropout (`float`, defaults to 0.0): Dropout between the layers of a branch and on the token states.
        pooling (`str`, defaults to `"max"`): How `pooler_output` is computed from the token states: `"max"`, `"mean"`
            or `"cls"`. Models that contain this encoder do their own pooling.
        pad_token_id (`int`, defaults to 0): Padding token, whose embedding is zero and stays zero.
        initializer_range (`float`, defaults to 0.1): Standard deviation of the initial word embeddings.

    Raises:
        ValueError: If a branch or the pooling is invalid.

    Example:

    ```python
    >>> from modeling_csr import RecurrentEncoderConfig, RecurrentEncoderModel

    >>> config = RecurrentEncoderConfig(branches=[{"type": "bilstm", "hidden_size": 128}])
    >>> config.hidden_size
    256
    >>> model = RecurrentEncoderModel(config)
    ```
    """

    model_type = "recurrent-encoder"

    vocab_size: int = 10_000
    embedding_size: int = 200
    projection_size: int | None = None
    branches: list[dict[str, Any]] | None = None
    embedding_dropout: float | int = 0.0
    hidden_dropout: float | int = 0.0
    pooling: str = "max"
    pad_token_id: int | None = 0
    initializer_range: float = 0.1

    def __post_init__(self, **kwargs: Any) -> None:
        branches = [{"type": "bilstm", "hidden_size": 128}] if self.branches is None else self.branches
        self.branches = [_whole_branch(number, branch) for number, branch in enumerate(branches, start=1)]
        if not self.branches:
            raise ValueError("branches must contain at least one branch.")
        if self.pooling not in POOLING_MODES:
            raise ValueError(f"pooling must be one of {', '.join(POOLING_MODES)}, got {self.pooling!r}.")
        super().__post_init__(**kwargs)

    @property
    def input_size(self) -> int:
        """Input width of the branches."""
        return self.projection_size or self.embedding_size

    @property
    def hidden_size(self) -> int:
        """Width of the token states: the sum over the branches."""
        return sum(map(branch_size, self.branches))


def branch_size(branch: dict[str, Any]) -> int:
    """Output width of a branch."""
    if branch["type"] == "cnn":
        return branch["hidden_size"] * len(branch["kernel_sizes"])
    return branch["hidden_size"] * (2 if branch["type"].startswith("bi") else 1)


def _whole_branch(number: int, branch: dict[str, Any]) -> dict[str, Any]:
    """A copy of `branch`, validated and with defaults filled in."""
    place = f"Branch {number}, {branch!r}"
    if branch.get("type") not in BRANCH_TYPES:
        raise ValueError(f"{place}: type must be one of {', '.join(BRANCH_TYPES)}.")
    defaults: dict[str, Any] = {"kernel_sizes": [3, 4, 5]} if branch["type"] == "cnn" else {"num_layers": 1}
    unknown = set(branch) - {"type", "hidden_size", *defaults}
    if unknown:
        raise ValueError(f"{place}: {branch['type']} branches have no {', '.join(sorted(unknown))}.")
    whole = {**defaults, **branch}
    sizes = {"hidden_size": [whole.get("hidden_size")], **{name: whole[name] for name in defaults}}
    for name, value in sizes.items():
        values = value if isinstance(value, list) else [value]
        if not values or any(not isinstance(size, int) or size < 1 for size in values):
            raise ValueError(f"{place}: {name} must be a positive integer, got {whole.get(name)!r}.")
    return whole


# Registered here rather than in the package, so that models loaded as remote code find the encoder by name too.
if RecurrentEncoderConfig.model_type not in CONFIG_MAPPING:
    AutoConfig.register(RecurrentEncoderConfig.model_type, RecurrentEncoderConfig)
RecurrentEncoderConfig.register_for_auto_class()

__all__ = ["RecurrentEncoderConfig"]
