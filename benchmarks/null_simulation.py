"""How often the paired test calls a difference significant where there is none.

python -m benchmarks.null_simulation

Two systems are equally good: each is right on a text with the same chance, plus the luck of a seed. Systems err on the
same kinds of texts for all of their seeds, and in dialogues on the texts of one group more than on those of another.
The share of p-values below .05 should be .05 at most.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm
from tqdm.auto import tqdm

from trainers.data import write_json
from trainers.evaluation import paired_test
from trainers.experiments import markdown_table

from .arguments import RESULTS
from .report import described

# Texts, labels of a text or classes, texts per group, and the correlation within one: sizes of dev splits.
SETTINGS: dict[str, tuple[int, int, int, float]] = {
    "E-c": (886, 11, 1, 0.0),
    "ISEAR, respondents": (1516, 7, 7, 0.05),
    "MELD, dialogues": (1108, 7, 10, 0.05),
    "MELD, dialogues more alike": (1108, 7, 10, 0.10),
}
# Standard deviation of the score over seeds, as measured with a tenth of the labels; chance of a right decision.
LUCK, RIGHT = 0.013, 0.6
# How much of whether a text is hard belongs to the text, and not to a seed.
COMMON = 0.8


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results_dir", type=Path, default=RESULTS, help="Folder for the table.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[3, 5], help="Numbers of seeds (default: 3 5).")
    parser.add_argument("--simulations", type=int, default=500, help="Simulations per row (default: 500).")
    parser.add_argument("--resamples", type=int, default=500, help="Resamples of each test (default: 500).")
    args = parser.parse_args(argv)
    found = {
        f"{name}, {seeds} seeds": {
            way: rejections(name, seeds, args.simulations, args.resamples, in_groups=way == "in groups")
            for way in ("in groups", "texts alone")
        }
        for name in SETTINGS
        for seeds in args.seeds
    }
    run: dict[str, Any] = {"simulations": args.simulations, "resamples": args.resamples}
    run["command"] = f"python -m benchmarks.null_simulation --simulations {args.simulations}"
    args.results_dir.mkdir(parents=True, exist_ok=True)
    write_json(args.results_dir / "null_simulation.json", {**run, "rejections": found})
    rows = [[name, *(f"{100 * share:.1f}" for share in by_way.values())] for name, by_way in found.items()]
    table = markdown_table(["sizes", "rejected, texts in groups, %", "rejected, each text by itself, %"], rows)
    text = f"Share of tests with p below .05 where there is no difference.\n\n{table}\n\n{described(run)}\n"
    (args.results_dir / "null_simulation.md").write_text(text, encoding="utf-8")
    print(text)


def rejections(name: str, seeds: int, simulations: int, resamples: int, *, in_groups: bool = True) -> float:
    """Share of simulations in which the p-value of the bootstrap is below .05.

    Args:
        name (`str`): One of `SETTINGS`.
        seeds (`int`): Number of seeds of each system.
        simulations (`int`): Number of simulations.
        resamples (`int`): Number of resamples of each test.
        in_groups (`bool`, defaults to `True`): Whether the test is told which texts belong together.
    """
    rejected = 0
    for number in tqdm(range(simulations), desc=f"{name}, {seeds} seeds", leave=False):
        systems, gold, groups = simulated(name, seeds, np.random.default_rng(number))
        metric, labels = ("jaccard", None) if gold.ndim == 2 else ("accuracy", SETTINGS[name][1])
        options: dict[str, Any] = {"num_labels": labels, "groups": groups if in_groups else None}
        rejected += paired_test(*systems, gold, metric, resamples, number, **options).p_bootstrap < 0.05
    return rejected / simulations


def simulated(name: str, seeds: int, rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Decisions of two equally good systems, `(seeds, texts, ...)` each, the gold labels, and the texts' groups."""
    texts, labels, size, alike = SETTINGS[name]
    groups = np.arange(texts) // size
    multi_label = name == "E-c"
    gold = (rng.random((texts, labels)) < 0.22).astype(int) if multi_label else rng.integers(labels, size=texts)
    systems = []
    for _ in range(2):
        of_groups = rng.normal(size=groups[-1] + 1)[groups]
        of_texts = np.sqrt(alike) * of_groups + np.sqrt(1 - alike) * rng.normal(size=texts)
        decisions = []
        for _ in range(seeds):
            ease = COMMON * of_texts + np.sqrt(1 - COMMON**2) * rng.normal(size=texts)
            right = norm.cdf(ease) < RIGHT + LUCK * rng.normal()
            if multi_label:
                wrong = gold ^ (rng.random((texts, labels)) < 0.15)
                decisions.append(np.where(right[:, None], gold, wrong))
            else:
                decisions.append(np.where(right, gold, (gold + rng.integers(1, labels, size=texts)) % labels))
        systems.append(np.stack(decisions))
    return systems, gold, groups


if __name__ == "__main__":
    main(sys.argv[1:])
