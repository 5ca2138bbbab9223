"""The stock text-classification pipeline on saved models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.saved_models import EMOTIONS, logits, scores
from tests.helpers.tiny_models import save

Factory = Callable[..., Any]


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_pipeline_gives_sigmoid_scores_of_multi_label_models(
    request: pytest.FixtureRequest, tiny_encoder: Callable[[str], Path], tmp_path: Path, family: str
) -> None:
    model = request.getfixturevalue(family)()
    folder = save(model, tmp_path, tiny_encoder)
    expected = logits(model, folder).sigmoid()
    for found, row in zip(scores(folder), expected, strict=True):
        assert found == pytest.approx(dict(zip(EMOTIONS, row.tolist(), strict=True)), abs=1e-6)
        assert abs(sum(found.values()) - 1) > 0.1


@pytest.mark.parametrize("batch_size", [2, 8])
@pytest.mark.parametrize("family", ["multitask", "csr", "siblings", "tokens"])
def test_pipeline_in_batches(
    multitask: Factory, csr: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path, family: str, batch_size: int
) -> None:
    model = {
        "multitask": lambda: multitask("electra", tasks=("emotion", "sentiment")),
        "csr": csr,
        "siblings": lambda: csr(sources=("roberta", "electra")),
        "tokens": lambda: csr(common_level="token"),
    }[family]()
    folder = save(model, tmp_path, tiny_encoder)
    for found, alone in zip(scores(folder, batch_size), scores(folder), strict=True):
        assert found == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize("family", ["multitask", "csr"])
def test_pipeline_gives_softmax_scores_of_single_label_models(
    multitask: Factory, csr: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path, family: str
) -> None:
    if family == "csr":
        model, names = csr(problem_type="single_label_classification"), EMOTIONS
    else:
        model = multitask("modernbert", tasks=("emotion", "sentiment"), main_task="sentiment")
        names = ["negative", "neutral", "positive"]
    folder = save(model, tmp_path, tiny_encoder)
    expected = logits(model, folder).softmax(-1)
    for found, row in zip(scores(folder), expected, strict=True):
        assert found == pytest.approx(dict(zip(names, row.tolist(), strict=True)), abs=1e-6)
        assert sum(found.values()) == pytest.approx(1)


def test_pipeline_gives_the_numbers_themselves_of_regression_models(
    multitask: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path
) -> None:
    model = multitask("electra", tasks=("intensity",))
    folder = save(model, tmp_path, tiny_encoder)
    for found, row in zip(scores(folder), logits(model, folder), strict=True):
        assert found == pytest.approx(dict(zip(["anger", "joy"], row.tolist(), strict=True)), abs=1e-6)
