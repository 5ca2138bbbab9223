"""Logistic regression for several languages at once: weights that all share, and a correction for each language."""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import KFold

from .vector_regression import FOLDS, Texts, choose, macro_f1

# Penalties of the shared weights and of the corrections, tried out of fold; those of one language alone would be 333.
PENALTIES = ((333.0, 333.0), (1000.0, 333.0), (333.0, 1000.0))


class JointRegression:
    """
    One linear model for all languages (Evgeniou and Pontil 2004, *Regularized Multi-Task Learning*). The logit of an
    emotion is (w + v) x, with w shared and v that of the text's language; both are shrunk towards 0. Texts with an
    emotion weigh as much as those without, in each language.

    Args:
        train (`Mapping[str, Texts]`): Training texts by language.
        shared (`float`): Penalty of the shared weights.
        own (`float`): Penalty of the corrections.
    """

    def __init__(self, train: Mapping[str, Texts], shared: float, own: float) -> None:
        self.numbers = {language: number for number, language in enumerate(train)}
        self.spread = {one: (part.vectors.mean(axis=0), part.vectors.std(axis=0) + 1e-6) for one, part in train.items()}
        vectors = torch.from_numpy(np.concatenate([self._scaled(part, one) for one, part in train.items()]))
        targets = torch.from_numpy(np.concatenate([part.targets for part in train.values()]))
        weights = torch.from_numpy(np.concatenate([_balanced(part.targets) for part in train.values()]))
        sizes = [len(part.targets) for part in train.values()]
        labels, size = targets.shape[1], vectors.shape[1]
        self.common = torch.zeros(size, labels, requires_grad=True)
        self.corrections = torch.zeros(len(train), size, labels, requires_grad=True)
        self.biases = torch.zeros(len(train), labels, requires_grad=True)
        parameters = [self.common, self.corrections, self.biases]
        solver = torch.optim.LBFGS(parameters, max_iter=60, history_size=10, line_search_fn="strong_wolfe")
        parts = vectors.split(sizes)

        def closure() -> torch.Tensor:
            solver.zero_grad()
            found = [
                part @ (self.common + self.corrections[number]) + self.biases[number]
                for number, part in enumerate(parts)
            ]
            losses = F.binary_cross_entropy_with_logits(
                torch.cat(found), targets.nan_to_num(), weights, reduction="sum"
            )
            loss = losses + 0.5 * (shared * self.common.square().sum() + own * self.corrections.square().sum())
            loss.backward()
            return loss

        solver.step(closure)

    @torch.inference_mode()
    def logits(self, texts: Texts, language: str) -> np.ndarray:
        """Logits `(texts, labels)` of texts in a language."""
        number = self.numbers[language]
        vectors = torch.from_numpy(self._scaled(texts, language))
        return (vectors @ (self.common + self.corrections[number]) + self.biases[number]).numpy()

    def _scaled(self, texts: Texts, language: str) -> np.ndarray:
        centre, scale = self.spread[language]
        return ((texts.vectors - centre) / scale).astype(np.float32)


def joint_regression(train: Mapping[str, Texts], dev: Mapping[str, Texts]) -> dict[str, float]:
    """Macro F1 by language. Penalties and thresholds are chosen out of fold on train."""
    best: tuple[float, tuple[float, float], dict[str, list[float]]] | None = None
    for penalties in PENALTIES:
        logits = {one: np.zeros_like(part.targets) for one, part in train.items()}
        folds = {
            one: list(KFold(FOLDS, shuffle=True, random_state=0).split(part.targets)) for one, part in train.items()
        }
        for fold in range(FOLDS):
            model = JointRegression({one: part[folds[one][fold][0]] for one, part in train.items()}, *penalties)
            for one, part in train.items():
                held_out = folds[one][fold][1]
                logits[one][held_out] = model.logits(part[held_out], one)
        thresholds = {one: choose(logits[one], part.targets) for one, part in train.items()}
        mean = float(np.mean([macro_f1(logits[one], part.targets, thresholds[one]) for one, part in train.items()]))
        if best is None or mean > best[0]:
            best = (mean, penalties, thresholds)
    assert best is not None
    model = JointRegression(train, *best[1])
    return {one: macro_f1(model.logits(part, one), part.targets, best[2][one]) for one, part in dev.items()}


def _balanced(targets: np.ndarray) -> np.ndarray:
    """Weight of each target: 0 where nobody annotated, and the same in sum for texts with and without an emotion."""
    texts = (~np.isnan(targets)).sum(axis=0)
    positives = np.nansum(targets, axis=0)
    weights = np.where(
        targets == 1, texts / np.maximum(2 * positives, 1), texts / np.maximum(2 * (texts - positives), 1)
    )
    return np.where(np.isnan(targets), 0.0, weights).astype(np.float32)
