"""A card with everything on it, and how tests read cards."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from model_cards import CardDataset, StageCard

# For a fresh process: run the snippets in files, in the folder that holds the models.
RUN_SNIPPETS = """
import os, sys
os.chdir(sys.argv[1])
for snippet in sys.argv[2:]:
    print("#", os.path.basename(snippet), flush=True)
    names = {}
    exec(open(snippet).read(), names)
    if "Trainer" in names:
        print(names["model"].config.problem_type, names["targets"])
"""


def card(**changes: Any) -> StageCard:
    metrics = {"jaccard": 0.61234, "jaccard_zero": 0.5, "micro_f1": 0.7, "macro_f1": 0.55557}
    scores = {"precision": 0.25, "recall": 0.75, "f1": 0.375, "support": 8}
    fields: dict[str, Any] = {
        "title": "csr",
        "kind": "csr",
        "stage": "csr",
        "starts_from": {"emotion_encoder": "emotion-encoder", "sentiment_encoder": "sentiment-encoder"},
        "base_models": ["org/csr-emotion-encoder", "org/csr-sentiment-encoder"],
        "encoder": "org/encoder",
        "labels": ["anger", "joy: a 'yes'"],
        "datasets": [
            CardDataset(
                "posts", "org/posts", "cc-by-4.0", "@misc{posts,\n  title = {Posts}\n}", {"train": 80, "dev": 15}
            )
        ],
        "results": {
            "metrics": metrics,
            "metrics_at_0.5": {name: value - 0.01 for name, value in metrics.items()},
            "thresholds": {"anger": 0.25, "joy: a 'yes'": 0.625},
            "per_label": {"anger": scores, "joy: a 'yes'": {**scores, "f1": 0.5}},
            "shuffled": {"emotion": {**metrics, "micro_f1": 0.1}, "sources": {**metrics, "micro_f1": 0.65}},
        },
        "hyperparameters": {"learning_rate": 0.0005, "seed": 42},
        "versions": {"torch": "2.6"},
        "figures": {"space.png": "The dev texts in space", "training_curves.png": "Losses"},
    }
    return StageCard(**fields | changes)


def saved(card: StageCard, folder: Path) -> ModelCard:
    card.save(folder)
    return ModelCard.load(folder / "README.md")


def metadata(folder: Path) -> dict[str, Any]:
    """The YAML as anyone reads it, not through huggingface_hub's classes."""
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def tables(text: str) -> list[list[list[str]]]:
    """The cells of every table, as they are shown."""
    found: list[list[list[str]]] = []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for token, content in pairwise(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][-1].append("".join(child.content for child in content.children or ()))
    return found


def write_snippets(card: Path, folder: Path) -> list[Path]:
    """Write the Python snippets of a card to files of their own, named after the folder of the card."""
    snippets = re.findall(r"```python\n(.*?)```", card.read_text(encoding="utf-8"), re.DOTALL)
    files = [folder / f"{card.parent.name} {number}" for number in range(len(snippets))]
    for file, code in zip(files, snippets, strict=True):
        file.write_text(code, encoding="utf-8")
    return files


def answers(files: list[Path], printed: str) -> dict[str, str]:
    """What each of the snippets printed, by file name."""
    return dict(zip((file.name for file in files), re.split(r"# .*\n", printed)[1:], strict=True))
