"""Words and numbers that YAML 1.1 takes for something else mean what people mean by them."""

from pathlib import Path
from typing import Any

import pytest

from trainers.commands import parse_run_arguments
from trainers.experiments.search_space import read_space
from trainers.runs import RunArguments, read_yaml


def value(folder: Path, line: str) -> Any:
    """The value of the only option in a file."""
    path = folder / "run.yaml"
    path.write_text(line + "\n", encoding="utf-8")
    args = parse_run_arguments(["--config", str(path)])
    name = line.split(":")[0]
    return next(getattr(kind, name) for kind in vars(args).values() if hasattr(kind, name))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("eval_strategy: no", "no"),
        ("save_strategy: NO", "no"),
        ("eval_strategy: off", "no"),
        ("logging_strategy: false", "no"),
        ("eval_strategy: 'no'", "no"),
        ("eval_strategy: epoch", "epoch"),
        ("include_num_input_tokens_seen: no", "no"),
        ("logging_first_step: on", True),
        ("logging_first_step: Yes", True),
        ("freeze_word_embeddings: off", False),
        ("freeze_word_embeddings: n", False),
        ("bf16_weights: OFF", False),
        ("freeze_word_embeddings: FALSE", False),
        ("learning_rate: 1e-4", 1e-4),
        ("learning_rate: 1E-4", 1e-4),
        ("weight_decay: .5", 0.5),
        ("weight_averaging: 1.", 1.0),
        ("max_steps: -1", -1),
        ("seed: 010", 10),
        ("max_train_samples: 1_000", 1000),
        ("max_train_samples: null", None),
        ("run_name: 2024-01-31", "2024-01-31"),
        ("run_name: 1:30", "1:30"),
        ("run_name: 1e3", "1e3"),
        ("hub_model_id: on", "on"),
        ("emotion_label_columns: [yes, no]", ["yes", "no"]),
        ("emotion_label_columns: [On, off, n, y, TRUE, '~']", ["On", "off", "n", "y", "TRUE", "~"]),
        ("emotion_labels: [010, 1e5, 2024-01-31, 1:30, 1.50]", ["010", "1e5", "2024-01-31", "1:30", "1.50"]),
        ("emotion_labels: yes", ["yes"]),
        ("lr_scheduler_kwargs: {num_cycles: 2, rate: 1e-4, flag: true, name: no}",
         {"num_cycles": 2, "rate": 1e-4, "flag": True, "name": "no"}),
    ],
)  # fmt: skip
def test_option_in_a_config(tmp_path: Path, line: str, expected: Any) -> None:
    found = value(tmp_path, line)
    assert found == expected and isinstance(found, type(expected))


def test_empty_item_of_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"run.yaml: emotion_labels has an empty item; put null in quotation marks"):
        value(tmp_path, "emotion_labels: [joy, null]")


def test_values_of_a_search_space(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "learning_rate: {low: 1e-5, high: 1e-3, log: true}\nper_device_train_batch_size: [010, 32]\n"
        "freeze_word_embeddings: [true, false]\n",
        encoding="utf-8",
    )
    rate, size, frozen = read_space(str(path), RunArguments.from_options(recipe=["bert"]))
    assert (rate.low, rate.high, rate.log) == (1e-5, 1e-3, True)
    assert size.choices == (10, 32) and frozen.choices == (True, False)


@pytest.mark.parametrize("content", [b"a: [1\n", b"a: \xff\n"])
def test_invalid_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=r"--config .*run.yaml is not valid YAML"):
        read_yaml(str(tmp_path / "run.yaml"), "--config")
