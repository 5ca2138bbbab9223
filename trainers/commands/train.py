"""`csr-emotion train`: train recipes."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ..evaluation import HEADLINE
from ..recipes import DialogueStage
from ..runs import RUN_ERRORS, PreparedRun, Runner, print_results, read_results
from .folds import asks_for_all_folds, run_folds
from .parser import parse_run_arguments
from .terminal import BAD_INPUT, exit_on, set_up_logging

DESCRIPTION = "Train recipes: plain BERT, transfer from sentiment, the common space (Model-3) and others."
USAGE = """
The model is in {model}. To use it:

    from transformers import pipeline
    classifier = pipeline("emotion-classification", model="{model}", trust_remote_code=True)
    print(classifier("I can't believe we finally made it! 🎉"))
"""
# Fewer labelled texts than this are few: it is worth knowing what more of them would bring.
FEW_TEXTS = 5_000
HINT = """With {texts:,} labelled texts: csr-emotion cross-validate --dataset {data} says what more of them would bring,
and csr-emotion suggest UNLABELLED --model {model} --output_file next.csv which texts to label next.
"""


def run_training(argv: Sequence[str], description: str = DESCRIPTION, defaults: Sequence[str] = ()) -> dict[str, Any]:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.
        description (`str`, *optional*): First paragraph of `--help`.
        defaults (`Sequence[str]`): Options that change defaults.

    Returns:
        `dict`: Contents of `results.json`; with `--emotion_fold all`, those of the last fold.
    """
    main_process = set_up_logging()
    with exit_on("csr-emotion train", *BAD_INPUT):
        args = parse_run_arguments(argv, description, defaults)
        all_folds = asks_for_all_folds(args)
    if all_folds:
        *_, runner = run_folds(
            "csr-emotion train", argv, args, partial(parse_run_arguments, defaults=defaults), main_process
        )
        return read_results(runner.prepared.output_dir)
    with exit_on("csr-emotion train", *BAD_INPUT):
        runner = Runner(args)
    with exit_on("csr-emotion train", *RUN_ERRORS):
        results = runner.run()
    if main_process:
        print_results(results, HEADLINE[runner.prepared.task_config("emotion")["problem_type"]])
        published = runner.publisher.repositories.name if runner.publisher else None
        model = published or runner.prepared.folder(runner.prepared.final)
        print(USAGE.format(model=model) + hint(runner.prepared, str(model)))
    return results


def hint(run: PreparedRun, model: str) -> str:
    """What to do next, for people who train on few texts of their own."""
    data = run.tasks["emotion"]
    texts = len(run.labels("train"))
    if data.info is not None or texts >= FEW_TEXTS or isinstance(run.final, DialogueStage):
        return ""
    return HINT.format(texts=texts, data=run.args.data.emotion_dataset, model=model)
