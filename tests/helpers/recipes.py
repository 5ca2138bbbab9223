"""Recipes that tests go through besides those of the library; importing this registers them."""

import benchmarks.recipes
import trainers.experiments

# The controls of model-3.3: the same common space and losses, other sources.
CONTROLS = ("emotion-alone", "two-emotion-encoders", "sentiment-alone")

assert benchmarks.recipes and trainers.experiments
