"""Tables of the benchmark of few labels: scores, paired tests and times."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from trainers.evaluation import METRICS, PairedTest, holm, paired_test
from trainers.experiments import difference, markdown_table, mean_and_spread, title

from .few_label_systems import JOINED_VECTORS, SYSTEMS
from .few_label_targets import Target
from .label_draws import MOST_PER_LABEL
from .report import described, write_table

# The pairs that are tested: a system and what it is held against.
CLAIMS = (
    *(("few-labels", other) for other in ("setfit", "vectors", "bert-head-rate", "bert-from-related")),
    *(("related-space-vectors", other) for other in ("setfit", "vectors", "few-labels")),
    ("space-encoder-vectors", "vectors"),
    ("related-encoder-vectors", "vectors"),
    *((system, other) for system in JOINED_VECTORS for other in ("setfit", "vectors")),
    *(("beside-pretrained", other) for other in ("setfit", "vectors", "related-frozen", "few-labels")),
    *(("pairs-first", other) for other in ("setfit", "vectors")),
    *(("pairs-first-from-related", other) for other in ("setfit", "vectors", "pairs-first")),
    ("model-3.4", "few-labels"),
)
TESTED = "macro_f1"
# By problem type, the metrics that are kept; macro F1 and the last one are shown.
KEPT = {
    "multi_label_classification": ("macro_f1", "micro_f1", "jaccard"),
    "single_label_classification": ("macro_f1", "accuracy"),
}
RESAMPLES = 10_000
TEST_NOTE = (
    "Difference in macro F1 x 100 with its 95 % interval and p (bootstrap over dev texts, in their groups, and paired "
    "draws; in brackets adjusted by Holm's method for all tests of the table), and the number of draws. With one draw, "
    "p is about these texts alone."
)

Place = tuple[str, str, int]


@dataclass(frozen=True)
class Unit:
    """What came of a system on one draw of a target: its decisions about the dev texts, and what they cost."""

    target: str
    system: str
    size: int
    draw: int
    texts: int
    seconds: float
    megabytes: float
    decisions: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Self:
        found = json.loads(path.read_text(encoding="utf-8"))
        del found["made_from"]
        return cls(**found | {"decisions": np.array(found["decisions"])})


def write_results(
    folder: Path, name: str, units: Sequence[Unit], targets: Mapping[str, Target], facts: Mapping[str, Any]
) -> None:
    """Write `NAME.json` and `NAME.md` of the units of some targets."""
    by_place: dict[Place, list[Unit]] = {}
    for unit in sorted((unit for unit in units if unit.target in targets), key=lambda unit: unit.draw):
        by_place.setdefault((unit.target, unit.system, unit.size), []).append(unit)
    scores = {place: [scores_of(unit, targets[unit.target]) for unit in found] for place, found in by_place.items()}
    tests = paired_tests(by_place, targets)
    adjusted = dict(zip(tests, holm([test.p_bootstrap for test in tests.values()]), strict=True)) if tests else {}
    results = {
        "scores": [
            _named(place) | {metric: [one[metric] for one in found] for metric in found[0]} | _costs(by_place[place])
            for place, found in scores.items()
        ],
        "tests": [
            _named(place[0]) | {"baseline": place[1], "p_holm": adjusted[place]} | asdict(test)
            for place, test in tests.items()
        ],
    }
    write_table(folder, name, {**facts, **results}, shown(by_place, scores, tests, adjusted, targets, facts))


def scores_of(unit: Unit, target: Target) -> dict[str, float]:
    """Its scores on dev, as fractions."""
    kind = target.data.problem_type
    options = {} if target.several else {"num_labels": len(target.data.labels)}
    gold = target.data.labelled_targets("dev")
    found = METRICS[kind]().compute(predictions=unit.decisions, references=gold, **options) or {}
    return {name: found[name] for name in KEPT[kind]}


def paired_tests(
    by_place: Mapping[Place, Sequence[Unit]], targets: Mapping[str, Target]
) -> dict[tuple[Place, str], PairedTest]:
    """The claims, tested on the draws that both systems have."""
    tests = {}
    for system, baseline in CLAIMS:
        for place in (place for place in by_place if place[1] == system):
            target, own = targets[place[0]], {unit.draw: unit.decisions for unit in by_place[place]}
            others = {unit.draw: unit.decisions for unit in by_place.get((place[0], baseline, place[2]), ())}
            draws = sorted(own.keys() & others.keys())
            if not draws:
                continue
            tests[place, baseline] = paired_test(
                np.stack([own[draw] for draw in draws]),
                np.stack([others[draw] for draw in draws]),
                target.data.labelled_targets("dev"),
                TESTED,
                RESAMPLES,
                num_labels=None if target.several else len(target.data.labels),
                groups=target.groups,
                paired_seeds=True,
            )
    return tests


def shown(
    by_place: Mapping[Place, Sequence[Unit]],
    scores: Mapping[Place, Sequence[Mapping[str, float]]],
    tests: Mapping[tuple[Place, str], PairedTest],
    adjusted: Mapping[tuple[Place, str], float],
    targets: Mapping[str, Target],
    facts: Mapping[str, Any],
) -> str:
    """The tables as Markdown."""
    second = {name: KEPT[target.data.problem_type][-1] for name, target in targets.items()}

    def cell(metric: Callable[[str], str]) -> Callable[[Place], str]:
        def of(place: Place) -> str:
            values = [one[metric(place[0])] for one in scores[place]]
            return f"{mean_and_spread(values)} ({len(values)})"

        return of

    def cost(place: Place) -> str:
        return f"{np.mean([unit.seconds for unit in by_place[place]]):,.1f}"

    sizes = sorted({size for _, _, size in by_place})
    compared = [["system", "against", "target", *map(heading, sizes)]]
    for system, baseline in CLAIMS:
        for name in targets:
            found = {size: ((name, system, size), baseline) for size in sizes}
            if any(key in tests for key in found.values()):
                cells = [
                    f"{difference(asdict(tests[key]), adjusted[key])}, {tests[key].seeds}" if key in tests else "–"
                    for key in found.values()
                ]
                compared.append([f"`{system}`", f"`{baseline}`", f"`{name}`", *cells])
    megabytes = {unit.system: unit.megabytes for units in by_place.values() for unit in units}
    parts = [
        "Macro F1 x 100 on dev: mean ± standard deviation over draws (their number).",
        long_table(by_place, targets, cell(lambda name: "macro_f1")),
        "Accuracy, or of several labels Jaccard "
        f"({', '.join(f'{name}: {title(metric)}' for name, metric in second.items())}), likewise.",
        long_table(by_place, targets, cell(second.__getitem__)),
        *([TEST_NOTE, markdown_table(compared[0], compared[1:])] if tests else []),
        "CPU seconds of training, with all that thresholds take, without loading, predicting dev and the source.",
        long_table(by_place, targets, cost),
        described(
            {
                "megabytes": ", ".join(f"{name} {size:.0f}" for name, size in megabytes.items()),
                "dev texts": ", ".join(f"{name} {len(one.groups):,}" for name, one in targets.items()),
                **facts,
            }
        ),
    ]
    return "\n\n".join(parts) + "\n"


def long_table(by_place: Mapping[Place, Any], targets: Mapping[str, Target], cell: Callable[[Place], str]) -> str:
    """A row per target and system, a column per size."""
    sizes = sorted({size for _, _, size in by_place})
    rows = [
        [
            f"`{name}`",
            f"`{system}`",
            *(cell(place) if (place := (name, system, size)) in by_place else "–" for size in sizes),
        ]
        for name in targets
        for system in SYSTEMS
        if any((name, system, size) in by_place for size in sizes)
    ]
    return markdown_table(["target", "system", *map(heading, sizes)], rows)


def heading(size: int) -> str:
    return f"{size} per label" if size <= MOST_PER_LABEL else f"{size:,} in all"


def _named(place: Place) -> dict[str, Any]:
    return dict(zip(("target", "system", "size"), place, strict=True))


def _costs(units: Sequence[Unit]) -> dict[str, Any]:
    return {name: [getattr(unit, name) for unit in units] for name in ("draw", "texts", "seconds", "megabytes")}
