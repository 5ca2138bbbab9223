"""Train a BiLSTM, or other recurrent and convolutional branches, from scratch: a small and fast emotion classifier.

python examples/run_recurrent.py --data_dir DATA

All options of run_csr.py are accepted; these have other defaults here: {defaults}
"""

from pathlib import Path

from ..data import (
    ColumnValues,
    load_task_dataset,
)
from ..evaluation import HEADLINE
from ..runs import (
    RUN_ERRORS,
    ModelArguments,
    RecurrentArguments,
    Runner,
    print_results,
    write_recurrent_encoder,
)
from .parser import parse_run_arguments_and
from .terminal import BAD_INPUT, exit_on, set_up_logging

NAME = "run_recurrent.py"
# No emoji step: these texts have no emoji.
DEFAULTS = (
    *("--normalization", "entities", "newlines", "users", "urls"),
    *("--recipe", "bert", "--emotion_dataset", "dair-emotion", "--output_dir", "outputs/recurrent"),
    *("--pooling", "max", "--encoder_dropout", "-1", "--classifier_dropout", "0.3"),
    *("--freeze_word_embeddings", "False", "--learning_rate", "2e-3", "--num_train_epochs", "6"),
    *("--per_device_train_batch_size", "64", "--per_device_eval_batch_size", "256"),
)


def prepare(argv: list[str]) -> Runner:
    """Prepare the run, and write the encoder that it starts from."""
    description = __doc__.format(defaults=" ".join(DEFAULTS))
    args, recurrent = parse_run_arguments_and(RecurrentArguments, argv, description, DEFAULTS)
    if args.model.encoder != ModelArguments().encoder:
        raise ValueError("--encoder: this command makes the encoder itself; use run_csr.py for another one.")
    data = args.data
    emotion = load_task_dataset(data.emotion_dataset, data_dir=data.data_dir, **data.columns("emotion"))
    with args.training.main_process_first(desc="the encoder"):
        args.model.encoder = str(
            write_recurrent_encoder(
                Path(args.training.output_dir) / "recurrent-encoder",
                recurrent,
                ColumnValues(emotion.splits["train"], "text"),
                steps=data.normalization,
                seed=args.training.seed,
            )
        )
    return Runner(args, {"emotion": emotion})


def run_recurrent(argv: list[str]) -> None:
    """Run the command; `argv` is the command line, without the program's name."""
    main_process = set_up_logging()
    with exit_on(NAME, *BAD_INPUT):
        runner = prepare(argv)
    with exit_on(NAME, *RUN_ERRORS):
        results = runner.run()
    if main_process:
        print_results(results, HEADLINE[runner.prepared.task_config("emotion")["problem_type"]])
        print(f"The model is in {runner.prepared.folder(runner.prepared.final)}.")
