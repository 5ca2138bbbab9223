"""How a score grows with the number of labelled texts, and how it will go on."""

from dataclasses import dataclass

import numpy as np

# Exponents that are tried. That of a power law lies between 0 and 1 for nearly all data.
EXPONENTS = np.linspace(0.1, 1.0, 19)


@dataclass(frozen=True)
class PowerLaw:
    """
    A score as a function of the number of training texts: `ceiling - loss * texts ** -exponent`.

    Args:
        ceiling (`float`): The score with any number of texts, at most 1.
        loss (`float`): What one text alone would fall short of it; at least 0, so that no text makes the score worse.
        exponent (`float`): How fast the score gets there.
    """

    ceiling: float
    loss: float
    exponent: float

    def __call__(self, texts: float | np.ndarray) -> np.ndarray:
        """The score with so many training texts."""
        return self.ceiling - self.loss * np.asarray(texts, dtype=np.float64) ** -self.exponent


def fit_power_law(texts: np.ndarray, scores: np.ndarray) -> PowerLaw:
    """Fit a power law to scores by least squares, as Cortes et al. 1993, *Learning Curves: Asymptotic Values and Rate
    of Convergence*, and Figueroa et al. 2012, *Predicting Sample Size Required for Classification Performance*, do. On
    what such fits are worth, see Viering & Loog 2021, *The Shape of Learning Curves: a Review*.

    Args:
        texts (`np.ndarray` of shape `(points,)`): Numbers of training texts.
        scores (`np.ndarray` of shape `(points,)`): The score with each, as a fraction.

    Returns:
        [`PowerLaw`].
    """
    powers = np.asarray(texts, dtype=np.float64) ** -EXPONENTS[:, None]
    # Given the exponent, a regression line through the scores; its slope and its height are bounded.
    spread = powers - powers.mean(axis=1, keepdims=True)
    losses = np.maximum(0.0, -(spread @ scores) / (spread**2).sum(axis=1))
    ceilings = scores.mean() + losses * powers.mean(axis=1)
    through_one = np.maximum(0.0, powers @ (1 - scores) / (powers**2).sum(axis=1))
    losses, ceilings = np.where(ceilings > 1, through_one, losses), np.minimum(ceilings, 1.0)
    errors = ((ceilings[:, None] - losses[:, None] * powers - scores) ** 2).sum(axis=1)
    best = int(errors.argmin())
    return PowerLaw(float(ceilings[best]), float(losses[best]), float(EXPONENTS[best]))


__all__ = ["EXPONENTS", "PowerLaw", "fit_power_law"]
