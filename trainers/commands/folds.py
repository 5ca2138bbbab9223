"""`--emotion_fold all`: one run per fold, each in its own folder, and a table of all of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ..data import REGISTRY
from ..experiments import save_folds
from ..loop import encoder_label
from ..runs import ALL_FOLDS, RUN_ERRORS, RunArguments, Runner
from .terminal import BAD_INPUT, exit_on


def asks_for_all_folds(args: RunArguments) -> bool:
    """Whether a run is to be repeated for each fold of its emotion data.

    Raises:
        ValueError: If it is, and the data have no folds, or the models are to be published.
    """
    if args.data.emotion_fold != ALL_FOLDS:
        return False
    name = args.data.emotion_dataset
    if name not in REGISTRY or REGISTRY[name].folds is None:
        those = ", ".join(known for known, info in REGISTRY.items() if info.folds)
        raise ValueError(f"--emotion_fold all is for data with folds ({those}); {name} has none. Leave it out.")
    if args.training.push_to_hub:
        raise ValueError("--emotion_fold all measures recipes: give --push_to_hub with one fold, or leave it out.")
    return True


def run_folds(
    command: str,
    argv: Sequence[str],
    args: RunArguments,
    parse: Callable[[Sequence[str]], RunArguments],
    main_process: bool,
) -> list[Runner]:
    """Run once per fold, below the output folder, and print the table; finished folds are reused.

    Stages that do not depend on the fold, such as a sentiment encoder, are trained for the first fold alone.

    Args:
        command (`str`): Name of the command, for errors.
        argv (`Sequence[str]`): Its options.
        args ([`RunArguments`]): What they were parsed to.
        parse (`Callable`): Parses them; a later option overrides an earlier one.
        main_process (`bool`): Whether this process writes and prints the results.

    Returns:
        `list[Runner]`: The finished runs.
    """
    folder = Path(args.training.output_dir)
    folds = REGISTRY[args.data.emotion_dataset].folds
    assert folds is not None, "checked in asks_for_all_folds"
    first = folder / "fold-0"
    shared = ["--reuse_stages_from", *(args.training.reuse_stages_from or ()), str(first)]
    runners = []
    with exit_on(command, *BAD_INPUT):
        for fold in range(folds):
            of_fold = ["--emotion_fold", str(fold), "--output_dir", str(folder / f"fold-{fold}")]
            runners.append(Runner(parse([*argv, *of_fold, *(shared if fold else [])])))
            # It has to be there to be named as a source of stages.
            first.mkdir(parents=True, exist_ok=True)
    for runner in runners:
        with exit_on(command, *RUN_ERRORS):
            runner.run()
    if main_process:
        about = {"encoder": encoder_label(args.model.encoder), "seed": args.training.seed}
        print(save_folds([runner.prepared for runner in runners], folder, about))
        print(f"Tables, figure and JSON are in {folder}.")
    return runners
