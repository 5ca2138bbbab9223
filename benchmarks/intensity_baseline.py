"""TF-IDF with ridge regression for emotion intensities and valence: the baseline to beat.

python -m benchmarks.intensity_baseline --data_dir DATA
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from trainers.commands import BAD_INPUT, exit_on
from trainers.data import load_task_dataset, write_json
from trainers.evaluation import per_label_scores, score

DATASETS = ("semeval2018-ei-reg-intensity", "semeval2018-v-reg")


def build_baseline(alpha: float) -> Pipeline:
    """A linear model on words, pairs of words, and strings of 2 to 5 characters within words."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)
    return make_pipeline(FeatureUnion([("words", words), ("characters", characters)]), Ridge(alpha=alpha))


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=DATASETS, help="Registered regression data.")
    parser.add_argument("--data_dir", help="Directory with one subfolder per registered dataset.")
    parser.add_argument("--alpha", type=float, default=1.0, help="Strength of the ridge penalty.")
    parser.add_argument("--output_file", help="File for the scores, as JSON.")
    args = parser.parse_args(argv)
    results = {}
    with exit_on("intensity_baseline", *BAD_INPUT):
        loaded = {name: load_task_dataset(name, data_dir=args.data_dir, regression=True) for name in args.datasets}
    for name, data in loaded.items():
        train, dev = data.splits["train"], data.splits["dev"]
        predictions = []
        # One model per output, on the texts with a score for it.
        for index in range(len(data.labels)):
            scored = [
                (text, row[index])
                for text, row in zip(train["text"], train["labels"], strict=True)
                if not math.isnan(row[index])
            ]
            texts, scores = zip(*scored, strict=True)
            predictions.append(build_baseline(args.alpha).fit(texts, scores).predict(list(dev["text"])))
        predicted, gold = np.stack(predictions, axis=1), np.asarray(dev["labels"])
        by_output = per_label_scores(predicted, gold, data.labels, "regression")
        results[name] = {**score(predicted, gold, "regression"), "per_output": by_output}
        each = ", ".join(f"{label} {scores['pearson']:.3f}" for label, scores in by_output.items())
        print(f"{name}: Pearson's r {results[name]['pearson']:.3f} ({each})")
    if args.output_file:
        Path(args.output_file).parent.mkdir(parents=True, exist_ok=True)
        write_json(args.output_file, {"alpha": args.alpha, "split": "dev", "results": results})


if __name__ == "__main__":
    main(sys.argv[1:])
