"""Students of one teacher: scores against speed, beside what people would take at that speed otherwise.

pip install model2vec 'skeletoken<0.7'   (for static embeddings, which are left out without it)
python -m benchmarks.students --data_dir DATA

Students are the lowest layers of the teacher's encoder, and recurrent encoders, taught by `csr-emotion distill`. Each
has a twin of the same size that learns from the labels alone; of an encoder's layers, the pretrained ones. Others are
logistic regressions on words, on vectors of the frozen encoder, and on static embeddings, which have no seeds. Further
options, such as `--max_steps 50`, are passed on to all trainings. Finished models are not trained again.

Speed is that of the pipeline, or of the regression with what makes its features, on one core: dev texts in CPU time,
all in turns in one process, beside the stock pipeline with the teacher. The floor is the work of the matrix products,
without padding, at this machine's speed on matrices of MiniLM's shapes.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, pipeline

from model_cards import plot_speeds
from trainers.commands import BAD_INPUT, exit_on, run_distillation, run_recurrent, set_up_logging
from trainers.data import NORMALIZATION_STEPS, TaskDataset, load_task_dataset, load_texts
from trainers.evaluation import HEADLINE, load_classifier
from trainers.experiments import compare_systems, difference, markdown_table, mean_and_spread, title
from trainers.loop import encoder_config, encoder_label, resolve_encoder
from trainers.runs import lowest_layers, read_evaluation, read_results

from .adapter_cost import MB, size
from .arguments import add_data_options, benchmark_parser, command_of
from .frozen_vectors import FrozenEncoder
from .grid import recipe_results, run_recipes
from .machine import cpu_name, matrix_speed, matrix_weights
from .pipeline_speed import STOCK, Work, ratio, read_parts, turns
from .report import described, write_table
from .text_regressions import TextRegression, on_vectors, on_words, static_embeddings

NAME, RECIPE, TEACHER = "students", "bert-head-rate", "teacher"
TAUGHT, LABELS_ALONE, FROZEN = "distilled", "from labels alone", "logistic regression"
LAYERS = {f"layers-{number}": number for number in (6, 3, 2, 1)}
# Stands for the encoder in options.
ENCODER = "ENCODER"
# Options of run_recurrent.py. The first has the encoder's tokenizer and word embeddings, the second words of its own.
RECURRENT: dict[str, tuple[str, ...]] = {
    "bilstm-128": ("--branches", "bilstm:128", "--embeddings_from", ENCODER),
    "bilstm-32": ("--branches", "bilstm:32", "--embedding_size", "64"),
}
LAYERS_LEARN = ("--num_train_epochs", "3", "--learning_rate", "1e-4")
RECURRENT_LEARN = (
    *("--num_train_epochs", "8", "--learning_rate", "2e-3", "--per_device_train_batch_size", "64"),
    *("--freeze_word_embeddings", "False"),
)
QUIET = ("--eval_strategy", "no", "--disable_tqdm", "True")


def main(argv: list[str]) -> None:
    parser = benchmark_parser(__doc__, output_dir="outputs/students")
    parser.add_argument("--dataset", default="semeval2018-ec", help="The emotion data (default: semeval2018-ec).")
    add_data_options(parser, ("unlabelled",))
    parser.add_argument("--max_unlabelled_samples", type=int, default=20_000, help="At most so many of these texts.")
    parser.add_argument("--teacher", help=f"Folder of a trained model (default: {RECIPE}, trained here).")
    names = [*LAYERS, *RECURRENT]
    parser.add_argument("--students", nargs="+", choices=names, default=names, help="Students (default: all).")
    parser.add_argument("--samples", type=int, default=400, help="Dev texts that are timed (default: 400).")
    parser.add_argument("--turns", type=int, default=3, help="Turns of each model (default: 3).")
    args, further = parser.parse_known_args(argv)
    set_up_logging()

    with exit_on(NAME, *BAD_INPUT):
        data = load_task_dataset(args.dataset, data_dir=args.data_dir)
        load_texts(args.unlabelled_dataset, data_dir=args.data_dir)
        encoder = resolve_encoder(args.encoder)
        check_layers(encoder, args.students)
    teacher = args.teacher or trained_teacher(args, further)
    trained = {name: [twins(args, name, teacher, seed, further) for seed in args.seeds] for name in args.students}
    regressions = fit_regressions(data, encoder, args.output_dir)
    folders = {TEACHER: Path(teacher)}
    for name, pairs in trained.items():
        folders |= {f"{name}, {kind}": Path(entry["model"]) for kind, entry in pairs[0].items()}
    texts = list(data.splits["dev"]["text"][: args.samples])
    scores, tests = scores_of(data, trained, regressions)
    write_results(args, further, data, scores, tests, speeds(folders, regressions, texts, args.turns))


def check_layers(encoder: str, students: Sequence[str]) -> None:
    """Check that an encoder has the layers that students start from.

    Raises:
        ValueError: If it has fewer.
    """
    number = encoder_config(encoder).num_hidden_layers
    for name in students:
        if LAYERS.get(name, 0) > number:
            raise ValueError(f"--students {name}: the encoder has {number} layers. Leave it out.")


def options(args: argparse.Namespace, seed: int, folder: Path) -> list[str]:
    """The options that all trainings on labels share."""
    given = ["--emotion_dataset", args.dataset, "--data_dir", args.data_dir, "--threshold", "global"]
    return [*given, "--seed", str(seed), "--output_dir", str(folder), *QUIET]


def trained_teacher(args: argparse.Namespace, further: Sequence[str]) -> str:
    """Train the teacher with the first seed, unless it is there, and give its folder."""
    given = ["--recipe", RECIPE, "--encoder", args.encoder]
    runner = run_recipes(NAME, [*given, *options(args, args.seeds[0], args.output_dir / TEACHER), *further])
    return str(runner.prepared.folder(runner.prepared.final))


def twins(args: argparse.Namespace, name: str, teacher: str, seed: int, further: Sequence[str]) -> dict[str, Any]:
    """Train a student and its twin, unless they are there.

    Returns:
        `dict`: By what each has learnt from, its entry of `results.json`.
    """
    folder = args.output_dir / f"seed-{seed}"
    alone, taught = folder / "labels" / name, folder / "taught" / name
    if name in LAYERS:
        given = ["--recipe", RECIPE, "--encoder", lowest(args, LAYERS[name]), *options(args, seed, alone)]
        # What the teacher has learnt need not be learnt again.
        given += [] if args.teacher else ["--reuse_stages_from", str(args.output_dir / TEACHER)]
        own = recipe_results(run_recipes(NAME, [*given, *further]))
        student = ["--student_layers", str(LAYERS[name]), *LAYERS_LEARN]
    else:
        branches = [args.encoder if word == ENCODER else word for word in RECURRENT[name]]
        steps = ["--normalization", *NORMALIZATION_STEPS]
        run_recurrent([*branches, *steps, *options(args, seed, alone), *further])
        own = read_results(alone)["recipes"]["bert"]
        # What that training started from.
        student = ["--student", str(alone / "recurrent-encoder"), *RECURRENT_LEARN]
    given = ["--teacher", teacher, "--dataset", args.dataset, "--data_dir", args.data_dir, "--seed", str(seed)]
    given += ["--unlabelled_dataset", args.unlabelled_dataset, "--output_dir", str(taught), *QUIET]
    given += ["--max_unlabelled_samples", str(args.max_unlabelled_samples)]
    run_distillation([*given, *student, *further])
    return {TAUGHT: read_results(taught.parent)["recipes"][name], LABELS_ALONE: own}


def lowest(args: argparse.Namespace, layers: int) -> str:
    """A folder with the lowest layers of the pretrained encoder; all of them are the encoder itself."""
    if layers == encoder_config(args.encoder).num_hidden_layers:
        return args.encoder
    folder = args.output_dir / "encoders" / f"{encoder_label(args.encoder)}-{layers}"
    if not folder.is_dir():
        start, unfinished = resolve_encoder(args.encoder), folder.with_name(f"{folder.name}.unfinished")
        lowest_layers(AutoModel.from_pretrained(start, dtype=torch.float32), layers).save_pretrained(unfinished)
        AutoTokenizer.from_pretrained(start).save_pretrained(unfinished)
        unfinished.rename(folder)
    return str(folder)


def fit_regressions(data: TaskDataset, encoder: str, folder: Path) -> dict[str, TextRegression]:
    """The regressions, of static embeddings where model2vec is installed."""
    keep = folder / "regressions"
    frozen = FrozenEncoder(encoder, folder / "vectors", steps=NORMALIZATION_STEPS)
    found = {
        "words (TF-IDF)": on_words(data, keep),
        "frozen encoder": on_vectors(data, keep, encoder, frozen, frozen.encode),
    }
    if find_spec("model2vec"):
        path, encode = static_embeddings(keep, encoder)
        found["static embeddings"] = on_vectors(data, keep, str(path), encode)
    return found


def speeds(
    folders: Mapping[str, Path], regressions: Mapping[str, TextRegression], texts: list[str], number: int
) -> dict[str, Any]:
    """Time models on one core.

    Args:
        folders (`Mapping[str, Path]`): Classifiers; that of the teacher is read by the stock pipeline, too.
        regressions (`Mapping[str, TextRegression]`): The regressions.
        texts (`list[str]`): What is read.
        number (`int`): Turns.

    Returns:
        `dict`: By name CPU `seconds` of each turn, the `floors` of the classifiers in seconds, and the `bytes` that are
        stored; the machine's speed on matrices as `matrix_gflops`, and the number of `texts`.
    """
    torch.set_num_threads(1)
    speed = matrix_speed(dtype=torch.float32, clock=time.process_time)
    works: dict[str, Work] = {}
    floors: dict[str, float] = {}
    for name, folder in folders.items():
        model, tokenizer = load_classifier(folder), AutoTokenizer.from_pretrained(folder)
        parts: dict[str, Any] = {"model": model, "tokenizer": tokenizer, "device": "cpu", "top_k": None}
        tokens = sum(map(len, tokenizer(texts, truncation=True)["input_ids"]))
        floors[name] = 2.0 * matrix_weights(layers_of(model)) * tokens / speed
        if name == TEACHER:
            stock = pipeline("text-classification", **parts)
            works[STOCK], floors[STOCK] = partial(stock, texts, truncation=True), floors[name]
        works[name] = partial(pipeline(task="emotion-classification", **parts), texts, truncation=True)
    works |= {name: partial(regression, texts) for name, regression in regressions.items()}
    stored = {name: size(folder) for name, folder in folders.items()} | {STOCK: size(folders[TEACHER])}
    stored |= {name: regression.bytes for name, regression in regressions.items()}
    found = {"seconds": turns(works, number), "floors": floors, "bytes": stored}
    return found | {"matrix_gflops": round(speed / 1e9), "texts": len(texts)}


def layers_of(model: PreTrainedModel) -> nn.Module:
    """What computes with every token, of ours and of stock classes."""
    ours = read_parts(model)
    stock = (part for name, part in model.base_model.named_children() if name != "pooler")
    return ours if len(ours) else nn.ModuleList(stock)


def scores_of(
    data: TaskDataset, trained: Mapping[str, Sequence[Mapping[str, Any]]], regressions: Mapping[str, TextRegression]
) -> tuple[dict[str, dict[str, list[float]]], dict[str, dict[str, Any]]]:
    """Scores by model and metric, one per seed, and what the teacher adds: by student and metric, a paired test."""
    metrics = HEADLINE[data.problem_type]
    (first, *_), *_ = trained.values()
    teacher = read_evaluation(Path(first[TAUGHT]["model"]))["teacher"]
    scores = {name: {metric: [round(teacher[metric], 4)] for metric in metrics} for name in (STOCK, TEACHER)}
    tests: dict[str, dict[str, Any]] = {}
    gold, groups = data.labelled_targets("dev"), data.groups("dev")
    for name, pairs in trained.items():
        systems = {kind: [pair[kind] for pair in pairs] for kind in (TAUGHT, LABELS_ALONE)}
        found = compare_systems(systems, gold, data.problem_type, LABELS_ALONE, groups=groups)
        scores |= {f"{name}, {kind}": found[kind]["scores"] for kind in systems}
        tests[name] = found[TAUGHT]["tests"]
    for name, regression in regressions.items():
        scores[name] = {metric: [round(regression.found["metrics"][metric], 4)] for metric in metrics}
    return scores, tests


def write_results(
    args: argparse.Namespace,
    further: Sequence[str],
    data: TaskDataset,
    scores: Mapping[str, Mapping[str, list[float]]],
    tests: Mapping[str, Mapping[str, Any]],
    measured: dict[str, Any],
) -> None:
    """Write `students-DATASET.json`, `.md` and `.png`."""
    metrics, written = HEADLINE[data.problem_type], f"{NAME}-{Path(data.name).name}"
    stock = measured["seconds"][STOCK]
    times = {name: ratio(stock, seconds) for name, seconds in measured["seconds"].items()}
    rows = []
    for name, seconds in measured["seconds"].items():
        floor = f"{median(seconds) / measured['floors'][name]:.1f}" if name in measured["floors"] else "–"
        row = [name, *(mean_and_spread(scores[name][metric]) for metric in metrics), f"{times[name]:.1f}", floor]
        rows.append([*row, f"{measured['texts'] / median(seconds):,.0f}", f"{measured['bytes'][name] / MB:.1f}"])
    heads = ["", *map(title, metrics), "speed, × stock", "times its floor", "texts a core-second", "MB"]
    tested = [[name, *(difference(by_metric[metric]) for metric in metrics)] for name, by_metric in tests.items()]
    run = {"dataset": data.name, "encoder": encoder_label(args.encoder), "seeds": args.seeds}
    run |= {"teacher": Path(args.teacher).name if args.teacher else f"{RECIPE}, seed {args.seeds[0]}"}
    unlabelled = Path(args.unlabelled_dataset).name
    run |= {"unlabelled_texts": f"{args.max_unlabelled_samples} of {unlabelled}, at most", "cpu": cpu_name()}
    run |= {"threads": 1, "matrix_gflops": measured["matrix_gflops"], "texts": measured["texts"], "turns": args.turns}
    chosen = ["--dataset", data.name, "--unlabelled_dataset", unlabelled, "--seeds", *args.seeds]
    chosen += ["--students", *args.students, *further]
    run["command"] = command_of(NAME, *chosen)
    parts = [
        "Dev scores x 100, mean ± standard deviation over the seeds, against speed on one core.",
        markdown_table(heads, rows),
        "What the teacher adds to the labels: difference with its 95 % interval and p-value (bootstrap).",
        markdown_table(["", *map(title, metrics)], tested),
        f"{described(run)}\n",
    ]
    write_table(args.results_dir, written, {**run, "scores": scores, "tests": tests, **measured}, "\n\n".join(parts))
    points: dict[str, dict[str, tuple[float, Sequence[float]]]] = {}
    for name, by_metric in scores.items():
        kind = next((kind for kind in (TAUGHT, LABELS_ALONE) if name.endswith(kind)), FROZEN)
        kind = TEACHER if name in (STOCK, TEACHER) else kind
        points.setdefault(kind, {})[name.removesuffix(f", {kind}")] = (times[name], by_metric[metrics[0]])
    plot_speeds(points, args.results_dir / f"{written}.png", metrics[0])


if __name__ == "__main__":
    main(sys.argv[1:])
