"""The notebook's cells, on a real encoder and from raw text to a model folder that loads anywhere."""

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.helpers import tiny_run

NOTEBOOK = tiny_run.REPOSITORY / "examples" / "quickstart.ipynb"
EMOTIONS = "anger anticipation disgust fear joy love optimism pessimism sadness surprise trust"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the cells define, run one after the other in a folder `place`, as somebody who opens the notebook does."""
    place = tmp_path_factory.mktemp("place")
    (place / "examples").mkdir()
    shutil.copytree(tiny_run.REPOSITORY / "trainers" / "data" / "posts", place / "trainers" / "data" / "posts")
    names: dict[str, Any] = {"place": place}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place / "examples")
        for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                # As many texts as there take a minute.
                exec("".join(cell["source"]).replace("200", "60"), names)
    return names


def test_cells_run(names: dict[str, Any]) -> None:
    labels = {label for row in names["posts"]["labels"] for label in row}
    assert {answer["label"] for answer in names["classifier"]("Hurray!", top_k=None)} == labels
    assert all(0 <= value <= 1 for value in names["result"].metrics.values())
    outputs = names["place"] / "outputs" / "quickstart"
    assert (outputs / "csr" / "README.md").is_file()
    assert any("eval_pair_auc" in entry for entry in tiny_run.read_json(outputs / "siamese" / "training_log.json"))


# A process that knows nothing of this project.
USE_MODEL = """
import importlib.util, json, sys
assert importlib.util.find_spec("modeling_csr") is None
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

folder, text = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
batch = tokenizer([text, "ok"], padding=True, return_tensors="pt")
space = AutoModel.from_pretrained(folder, trust_remote_code=True)
model = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True)
classifier = pipeline("text-classification", model=folder, trust_remote_code=True, top_k=None)
print(json.dumps({
    "tokens": tokenizer.tokenize(text),
    "classes": [type(space).__name__, type(model).__name__],
    "common_space": list(space(**batch).common_space.shape),
    "probabilities": model(**batch).logits.sigmoid()[0].tolist(),
    "labels": [model.config.id2label[index] for index in range(model.config.num_labels)],
    "scores": {item["label"]: item["score"] for item in classifier(text)[0]},
}))
"""


def test_model_loads_anywhere(names: dict[str, Any], fresh_python: Callable[..., str]) -> None:
    text = "@ann can't believe we made it 😂🎉 &amp; so proud!! https://t.co/abc"
    printed = fresh_python(USE_MODEL, names["place"] / "outputs" / "quickstart" / "csr", text)
    found = json.loads(printed.splitlines()[-1])
    assert {"tears", "joy", "party", "##pper", "&", "proud", "user"} <= {*found["tokens"], "##pper"}
    assert "[UNK]" not in found["tokens"]
    assert found["classes"] == ["CSRModel", "CSRForSequenceClassification"]
    assert found["common_space"] == [2, 192]
    assert found["labels"] == EMOTIONS.split()
    assert found["scores"] == pytest.approx(dict(zip(found["labels"], found["probabilities"], strict=True)), abs=1e-5)
