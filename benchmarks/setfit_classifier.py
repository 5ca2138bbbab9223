"""Train SetFit on the texts of a job, and predict others. Run by the Python of an environment that has setfit.

PYTHON benchmarks/setfit_classifier.py JOB.json ANSWER.json

The job has `encoder` (a folder of sentence-transformers), `texts` and `labels` (class ids, or 0/1 lists), `others` (the
texts to predict), `num_labels`, `iterations` (pairs of each kind for a text), `seed`, and `folds`: the fold of each
text, or null where no out-of-fold predictions are wanted. The answer has `probabilities` of `others`, `out_of_fold`
probabilities of `texts`, `seconds` of CPU time for all trainings, `megabytes` of the model, and `setfit`, its version.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import setfit
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments


def train(job, rows):
    """A model of some of the texts, and the seconds that its training took."""
    labels = [job["labels"][row] for row in rows]
    several = isinstance(labels[0], list)
    model = SetFitModel.from_pretrained(job["encoder"], multi_target_strategy="one-vs-rest" if several else None)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_iterations=job["iterations"],
            seed=job["seed"],
            save_strategy="no",
            report_to="none",
            show_progress_bar=False,
        )
        dataset = Dataset.from_dict({"text": [job["texts"][row] for row in rows], "label": labels})
        trainer = Trainer(model=model, args=arguments, train_dataset=dataset)
        started = time.process_time()
        trainer.train()
        return model, time.process_time() - started


def probabilities(model, texts, num_labels):
    """A row per text, a column per label; 0 for a class that no text of the training has."""
    found = np.asarray(model.predict_proba(texts, show_progress_bar=False))
    if hasattr(model.model_head, "estimators_"):
        return found
    complete = np.zeros((len(texts), num_labels))
    complete[:, model.model_head.classes_] = found
    return complete


def main(job_path, answer_path):
    job = json.loads(Path(job_path).read_text("utf-8"))
    texts, num_labels = job["texts"], job["num_labels"]
    model, seconds = train(job, range(len(texts)))
    answer = {"setfit": setfit.__version__, "probabilities": probabilities(model, job["others"], num_labels).tolist()}
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        weights = [path for kind in ("*.safetensors", "*.pkl") for path in Path(folder).rglob(kind)]
        answer["megabytes"] = sum(path.stat().st_size for path in weights) / 1e6
    if job["folds"] is not None:
        folds = np.asarray(job["folds"])
        held_out = np.zeros((len(texts), num_labels))
        for fold in np.unique(folds):
            part, more = train(job, np.flatnonzero(folds != fold))
            seconds += more
            rows = np.flatnonzero(folds == fold)
            held_out[rows] = probabilities(part, [texts[row] for row in rows], num_labels)
        answer["out_of_fold"] = held_out.tolist()
    answer["seconds"] = seconds
    Path(answer_path).write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
