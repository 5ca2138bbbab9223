"""A tiny encoder, tiny data and the commands, for the tests that carry whole runs out."""

import contextlib
import csv
import importlib.util
import io
import json
import os
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer

REPOSITORY = Path(__file__).resolve().parents[2]

# Each label has two words of its own, so that even a tiny model can learn to tell them apart.
EMOTIONS = {"anger": "furious shouting", "joy": "happy laughing", "sadness": "crying lonely"}
SENTIMENTS = {"negative": "awful broken", "neutral": "plain usual", "positive": "great lovely"}
# Options with which every stage of a tiny run learns its labels; the defaults here are enough to have a model.
LEARNING = {"num_train_epochs": 12, "siamese_num_train_epochs": 4, "common_num_train_epochs": 12}
FILLERS = ["the", "day", "was", "so", "very", "my", "friend", "said", "it", "again", "and", "we", "all", "went", "home"]


def write_encoder(
    folder: Path, seed: int = 0, extra_words: tuple[str, ...] = (), dropout: float = 0.0, **config_kwargs: Any
) -> Path:
    """A random BERT of one layer with a WordPiece vocabulary: our words, and letters for all others."""
    words = [word for group in (EMOTIONS, SENTIMENTS) for value in group.values() for word in value.split()]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789@!?.,"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *extra_words, *FILLERS, *words, *letters, *(f"##{letter}" for letter in letters)]
    BertTokenizer(vocab={token: index for index, token in enumerate(dict.fromkeys(vocabulary))}).save_pretrained(folder)
    options = {
        "vocab_size": len(dict.fromkeys(vocabulary)),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
        "initializer_range": 0.2,
    }
    config = BertConfig(**options | config_kwargs)
    torch.manual_seed(seed)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def _text(rng: random.Random, words: list[str]) -> str:
    """Some of the label words among fillers; every text is another one."""
    text = [*(rng.choice(word.split()) for word in words), *rng.sample(FILLERS, rng.randint(3, 8))]
    rng.shuffle(text)
    return " ".join(text)


def emotion_rows(size: int, seed: int) -> list[dict[str, Any]]:
    """Rows of `text` and a 0/1 column an emotion: none, one or two of them."""
    rng = random.Random(seed)
    rows = []
    for index in range(size):
        present = rng.sample(list(EMOTIONS), (1, 2, 1, 0)[index % 4])
        text = _text(rng, [EMOTIONS[name] for name in present])
        rows.append({"text": text, **{name: int(name in present) for name in EMOTIONS}})
    return rows


def label_rows(words: dict[str, str], size: int, seed: int) -> list[dict[str, Any]]:
    """Rows of `text` and one `label`."""
    rng = random.Random(seed)
    labels = list(words)
    return [
        {"text": _text(rng, [words[labels[index % len(labels)]]]), "label": labels[index % len(labels)]}
        for index in range(size)
    ]


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_data(folder: Path, train: int = 80, dev: int = 15) -> None:
    """`posts` (multi-label emotions, CSV), `moods` (single-label emotions) and `reviews` (sentiment), JSON Lines."""
    for split, size, seed in (("train", train, 1), ("dev", dev, 2)):
        write_csv(folder / "posts" / f"{split}.csv", emotion_rows(size, seed))
        write_jsonl(folder / "moods" / f"{split}.jsonl", label_rows(EMOTIONS, size, seed))
        write_jsonl(folder / "reviews" / f"{split}.jsonl", label_rows(SENTIMENTS, size, seed))


def workplace(folder: Path, dropout: float = 0.0, **sizes: int) -> Path:
    """A folder with an `encoder` and `data`."""
    write_encoder(folder / "encoder", dropout=dropout)
    write_data(folder / "data", **sizes)
    return folder


def options(place: Path, output_dir: str | Path, **changes: Any) -> list[str]:
    """A command line of run_csr.py: quick stages on the CPU, in single precision.

    Args:
        changes: Options by name; a list becomes several values, `None` leaves an option out.
    """
    values: dict[str, Any] = {
        "recipe": ["model-3.3"],
        "encoder": place / "encoder",
        "emotion_dataset": place / "data" / "posts",
        "emotion_label_columns": list(EMOTIONS),
        "sentiment_dataset": place / "data" / "reviews",
        "output_dir": output_dir,
        "max_length": 64,
        # Not emoji, of which these texts have none.
        "normalization": ["entities", "newlines", "users", "urls"],
        "num_train_epochs": 2,
        "learning_rate": 1e-2,
        "per_device_train_batch_size": 8,
        "siamese_num_train_epochs": 1,
        "siamese_train_batch_size": 32,
        "common_num_train_epochs": 2,
        "common_learning_rate": 1e-2,
        "common_train_batch_size": 8,
        "eval_strategy": "no",
        "save_strategy": "no",
        "logging_steps": 10,
        "use_cpu": True,
        "bf16_weights": False,
        "disable_tqdm": True,
        "draw_figures": False,
    } | changes
    argv: list[str] = []
    for name, value in values.items():
        if value is not None:
            argv += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return argv


def distillation(place: Path, teacher: Path, output_dir: Path, **changes: Any) -> list[str]:
    """A command line of distill_csr.py, with `changes` as for [`options`]."""
    of_recipes = ["recipe", "encoder", "emotion_dataset", "emotion_label_columns", "sentiment_dataset", "normalization"]
    of_recipes += [f"siamese_{name}" for name in ("num_train_epochs", "train_batch_size")]
    of_recipes += [f"common_{name}" for name in ("num_train_epochs", "train_batch_size", "learning_rate")]
    given = {"teacher": teacher, "dataset": place / "data" / "posts", "label_columns": list(EMOTIONS)}
    given |= {"unlabelled_dataset": place / "data" / "reviews", **dict.fromkeys(of_recipes)}
    return options(place, output_dir, **given | changes)


def example(name: str) -> ModuleType:
    """The module `examples/<name>.py`."""
    return _script("examples", name)


def refusal(command: ModuleType, argv: list[str]) -> str:
    """What a command says as it ends without having begun, be it its parser that ends it."""
    told = io.StringIO()
    with pytest.raises(SystemExit) as ended, contextlib.redirect_stderr(told):
        command.main(argv)
    assert ended.value.code not in (0, None)
    return f"{ended.value}{told.getvalue()}"


def _script(folder: str, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", REPOSITORY / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment() -> dict[str, str]:
    """For commands in processes of their own: this repository can be imported, and nothing is fetched."""
    return os.environ | {"PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
