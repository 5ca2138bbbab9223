"""Loading classifiers, all of whose weights must be in the folder."""

import os
from typing import Any

from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from modeling_csr import readable_positions


def load_classifier(name: str | os.PathLike, **kwargs: Any) -> Any:
    """Load a trained classifier.

    transformers initialises weights that a folder lacks at random and only logs it. The scores of such a model mean
    nothing, so this is an error here.

    Args:
        name (`str`): Folder or Hub id.
        **kwargs: Further arguments of `from_pretrained`.

    Returns:
        `PreTrainedModel`, in eval mode; `Any` for type checkers, since its class depends on the folder.

    Raises:
        OSError: If there is no such model.
        ValueError: If it is not a classifier, or some of its weights are missing.
    """
    model, info = _load(AutoModelForSequenceClassification, name, output_loading_info=True, **kwargs)
    missing = sorted(info["missing_keys"])
    if missing:
        held = ", ".join(model.config.architectures or ["another model"])
        raise ValueError(
            f"{os.fspath(name)} holds {held}, not a trained classifier: {len(missing)} weights are missing, such as "
            f"{missing[0]}. Give the folder of a classifier, such as emotion-encoder or csr of a run."
        )
    return model


def load_config(name: str | os.PathLike, **kwargs: Any) -> Any:
    """Load the configuration of a classifier, which says what it is before its weights are read.

    Args:
        name (`str`): Folder or Hub id.
        **kwargs: Further arguments of `from_pretrained`.

    Raises:
        OSError: If there is no such model.
    """
    return _load(AutoConfig, name, **kwargs)


def _load(kind: Any, name: str | os.PathLike, **kwargs: Any) -> Any:
    try:
        return kind.from_pretrained(name, **kwargs)
    except OSError as error:
        # Without the Hub, transformers does not say what it was looking for.
        raise OSError(f"{os.fspath(name)} could not be loaded: {error}") from error


def check_max_length(model: nn.Module, max_length: int | None) -> None:
    """Check that a model can read texts of a length.

    Raises:
        ValueError: If it cannot.
    """
    limit = readable_positions(model)
    if max_length is not None and max_length > limit:
        raise ValueError(f"--max_length {max_length}: the model reads at most {limit} tokens.")


def label_names(config: Any) -> list[str]:
    """Names of a classifier's labels, in the order of its outputs. The keys of `label2id` may be in any order.

    Args:
        config (`PreTrainedConfig`): Its configuration.
    """
    return [config.id2label[index] for index in range(config.num_labels)]


def problem_type_of(config: Any) -> str:
    """A classifier's problem type. One that states none is read as the stock pipeline reads it: with a single output,
    this has a probability of its own.

    Args:
        config (`PreTrainedConfig`): Its configuration.
    """
    guessed = "single_label_classification" if config.num_labels > 1 else "multi_label_classification"
    return config.problem_type or guessed


__all__ = ["check_max_length", "label_names", "load_classifier", "load_config", "problem_type_of"]
