"""The systems of the benchmark of few labels: each learns from drawn texts and decides about the dev texts."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import AutoModel, AutoTokenizer, TrainerCallback

from trainers.commands import parse_run_arguments
from trainers.data import digest, load_texts, stratified_folds, whole_file
from trainers.evaluation import embed_texts, tune_thresholds
from trainers.experiments import dev_decisions, encoder_vectors, fit_decisions
from trainers.loop import encoder_identity, resolve_encoder
from trainers.recipes import Recipe, Stage, find_recipe, stages_of
from trainers.runs import Runner

from .few_label_targets import SOURCES, Target
from .recipes import FROZEN_SPACES

# Folds of the training texts on which a threshold is chosen.
FOLDS = 3
# Sources are trained once, so all runs have the seed of theirs, and differ in their texts.
SEED = 42
RECIPES = ("bert-head-rate", "bert-from-related", *FROZEN_SPACES, "few-labels", "model-3.4")
# By system, the stage of the source whose vectors it reads: the mean of an encoder's token states, or of their places
# in the common space.
RELATED_VECTORS = {
    "related-encoder-vectors": "related-encoder",
    "space-encoder-vectors": "related-space",
    "related-space-vectors": "related-space",
}
# Vectors side by side: those of an encoder that has learnt from the source, and of one that has not.
JOINED_VECTORS = {
    "joined-vectors": ("vectors", "space-encoder-vectors"),
    "joined-related-vectors": ("vectors", "related-encoder-vectors"),
}
SYSTEMS = ("vectors", *RELATED_VECTORS, *JOINED_VECTORS, "setfit", *RECIPES)


@dataclass(frozen=True)
class Outcome:
    """What came of a system: decisions about the dev texts, CPU seconds of its training, megabytes of its weights."""

    decisions: np.ndarray
    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Draw:
    """The rows of a target's training texts that a system learns from, and a name for them."""

    rows: np.ndarray
    name: str


class TrainingClock(TrainerCallback):
    """Adds up the CPU seconds of trainings, those of folds among them, without loading, evaluating and writing."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started = 0.0

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        self._started = time.process_time()

    def on_train_end(self, *args: Any, **kwargs: Any) -> None:
        self.seconds += time.process_time() - self._started


class Systems:
    """
    All systems on one target.

    Args:
        target (`Target`): The target.
        name (`str`): Its name.
        folder (`Path`): Where vectors are kept and runs are made; runs are removed once they are scored.
        encoder (`str`): The encoder of all systems.
        options (`Sequence[str]`): Further options of the runs, such as `--data_dir`.
        source (`Path`): Folder of the run that has learnt from the target's source ([`train_source`]).
        setfit_python (`str`, *optional*): The Python of an environment that has setfit.
        iterations (`int`): SetFit's pairs of each kind for a text.
    """

    def __init__(
        self,
        target: Target,
        name: str,
        folder: Path,
        encoder: str,
        options: Sequence[str],
        source: Path,
        setfit_python: str | None,
        iterations: int,
    ) -> None:
        self.target, self.name, self.folder = target, name, folder
        self.encoder, self.options, self.source = encoder, list(options), source
        self.setfit_python, self.iterations = setfit_python, iterations
        self._vectors: dict[str, tuple[np.ndarray, np.ndarray, float]] = {}

    def run(self, system: str, draw: Draw) -> Outcome:
        """Train a system on a draw."""
        if system == "setfit":
            return self._setfit(draw)
        if system in RECIPES:
            return self._recipe(system, draw)
        return self._regression(system, draw)

    def _regression(self, system: str, draw: Draw) -> Outcome:
        """Logistic regression on frozen vectors. Its time is that of the vectors of its texts, and of the fit."""
        train, dev, seconds_per_text = self._embedded(system)
        targets = self.target.data.targets("train")[draw.rows]
        groups = np.array(self.target.data.row_groups("train"))[draw.rows]
        started = time.process_time()
        fitted = fit_decisions(train[draw.rows], targets, groups, len(self.target.data.labels), SEED)
        seconds = time.process_time() - started + len(draw.rows) * seconds_per_text
        size = sum(map(self._megabytes, JOINED_VECTORS.get(system, [system])))
        return Outcome(fitted(dev), seconds, size + 4e-6 * len(self.target.data.labels) * (train.shape[1] + 1))

    def _megabytes(self, system: str) -> float:
        """Size of the weights of what makes vectors."""
        stage = RELATED_VECTORS.get(system)
        return megabytes(Path(resolve_encoder(self.encoder)) if stage is None else self.source / stage)

    def _embedded(self, system: str) -> tuple[np.ndarray, np.ndarray, float]:
        """Vectors of the training and dev texts, and the CPU seconds that one of them took."""
        if system in JOINED_VECTORS:
            train, dev, seconds = zip(*map(self._embedded, JOINED_VECTORS[system]), strict=True)
            return np.concatenate(train, axis=1), np.concatenate(dev, axis=1), sum(seconds)
        if system not in self._vectors:
            texts = [self.target.texts(split) for split in ("train", "dev")]
            stage = RELATED_VECTORS.get(system)
            model = resolve_encoder(self.encoder) if stage is None else str(self.source / stage)
            path = self.folder / "vectors" / f"{digest([system, encoder_identity(model), *texts])}.npz"
            if not path.is_file():
                started = time.process_time()
                embed = encoder_vectors if stage is None else partial(stage_vectors, system=system)
                found = embed(model, [*texts[0], *texts[1]])
                seconds = (time.process_time() - started) / len(found)
                path.parent.mkdir(parents=True, exist_ok=True)
                with whole_file(path, "wb") as file:
                    np.savez(file, train=found[: len(texts[0])], dev=found[len(texts[0]) :], seconds=seconds)
            with np.load(path) as kept:
                self._vectors[system] = (kept["train"], kept["dev"], float(kept["seconds"]))
        return self._vectors[system]

    def _recipe(self, system: str, draw: Draw) -> Outcome:
        folder = self.folder / "runs" / draw.name / system
        shutil.rmtree(folder, ignore_errors=True)
        argv = ["--recipe", system, *run_options(self.encoder, SOURCES[self.name], folder), *self.options]
        argv += ["--threshold_folds", str(FOLDS)] if self.target.several else []
        argv += ["--reuse_stages_from", str(self.source)] if source_stages([system]) else []
        # Frozen encoders read the dev texts once for all draws.
        argv += ["--cache_dir", str(self.folder / "cache")]
        clock = TrainingClock()
        data = {"emotion": self.target.drawn(draw.rows, f"{self.name} ({draw.name})")}
        if system == "model-3.4":
            rest = np.setdiff1d(np.arange(len(self.target.data.splits["train"])), draw.rows)
            data["unlabelled"] = load_texts(Dataset.from_dict({"text": self.target.texts("train", rest)}))
        runner = Runner(parse_run_arguments(argv), data, callbacks=[clock])
        runner.run()
        final = runner.prepared.folder(runner.prepared.final)
        outcome = Outcome(dev_decisions(final, self.target.data.problem_type), clock.seconds, megabytes(final))
        shutil.rmtree(folder)
        return outcome

    def _setfit(self, draw: Draw) -> Outcome:
        data = self.target.data
        targets = data.targets("train")[draw.rows]
        folds = None
        if self.target.several:
            groups = np.array(data.row_groups("train"))[draw.rows]
            folds = stratified_folds(targets, FOLDS, SEED, groups).tolist()
        job = {
            "encoder": str(Path(resolve_encoder(self.encoder)).resolve()),
            "texts": self.target.texts("train", draw.rows),
            "labels": targets.astype(int).tolist(),
            "others": self.target.texts("dev"),
            "num_labels": len(data.labels),
            "iterations": self.iterations,
            "seed": SEED,
            "folds": folds,
        }
        with tempfile.TemporaryDirectory() as folder:
            places = Path(folder, "job.json"), Path(folder, "answer.json")
            places[0].write_text(json.dumps(job), encoding="utf-8")
            script = Path(__file__).with_name("setfit_classifier.py")
            subprocess.run([str(self.setfit_python), str(script), *map(str, places)], check=True)
            answer = json.loads(places[1].read_text(encoding="utf-8"))
        found = np.array(answer["probabilities"])
        if self.target.several:
            thresholds = tune_thresholds(np.array(answer["out_of_fold"]), targets)
            decisions = (found >= thresholds).astype(np.int64)
        else:
            decisions = found.argmax(axis=1)
        return Outcome(decisions, answer["seconds"], answer["megabytes"])


def run_options(encoder: str, source: str, folder: Path) -> list[str]:
    """Options of `csr-emotion train` that the runs on a source and on its targets share, so that its stages are the
    same."""
    options = ["--encoder", encoder, "--related_dataset", source, "--seed", str(SEED), "--output_dir", str(folder)]
    options += ["--threshold", "global", "--eval_strategy", "no", "--save_strategy", "no"]
    return [*options, "--draw_figures", "False"]


def source_stages(systems: Sequence[str]) -> list[Stage]:
    """The stages that some systems take from their source, each once."""
    stages = [stage for stage in stages_of(map(find_recipe, RECIPES)) if stage.tasks == ("related",)]
    parts = [part for system in systems for part in JOINED_VECTORS.get(system, [system])]
    wanted = {RELATED_VECTORS.get(part) for part in parts}
    wanted |= {stage.name for system in systems if system in RECIPES for stage in find_recipe(system).stages}
    return [stage for stage in stages if stage.name in wanted]


def train_source(stages: Sequence[Stage], encoder: str, source: str, folder: Path, options: Sequence[str]) -> None:
    """Train stages on a source, unless the folder has them."""
    argv = [*run_options(encoder, source, folder), "--wait_for_lock", "True", *options]
    Runner(parse_run_arguments(argv), recipes=[Recipe(stage.name, (stage,)) for stage in stages]).run()


def stage_vectors(folder: str, texts: Sequence[str], system: str) -> np.ndarray:
    """Vectors by a stage that was trained on a source."""
    model = AutoModel.from_pretrained(folder)
    part = model.emotion_encoder if system == "space-encoder-vectors" else model
    return embed_texts(part, AutoTokenizer.from_pretrained(folder), texts)


def megabytes(folder: Path) -> float:
    """Size of the weights in a model's folder."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6
