"""A model for all languages of BRIGHTER on the Hub: its card, its tokenizer, and a fresh process that loads it."""

import json
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertModel, set_seed

import modeling_csr  # noqa: F401
from tests.helpers import tiny_run
from tests.helpers.brighter_files import TEXTS, write
from tests.helpers.published_run import TOKEN, organisation_hub, outside, run_csr
from tests.helpers.tiny_tokenizers import FAMILIES
from trainers.data.readers import BRIGHTER_EMOTIONS

LOAD = """
import json, sys
from transformers import AutoTokenizer, pipeline
name, texts = sys.argv[1], json.loads(sys.argv[2])
tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=True)
classify = pipeline("text-classification", model=name, top_k=None, function_to_apply="none", trust_remote_code=True)
scores = [{one["label"]: one["score"] for one in answer} for answer in classify(texts, batch_size=1)]
print(json.dumps([tokenizer(texts)["input_ids"], scores]))
"""


def test_a_model_for_all_languages_is_pushed_and_loaded(tmp_path: Path) -> None:
    tokenizer = FAMILIES["byte_fallback"]()
    set_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    BertModel(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(tmp_path / "encoder")
    tokenizer.save_pretrained(tmp_path / "encoder")
    for language in TEXTS:
        for split in ("train", "dev"):
            write(tmp_path / "data", language, split)
    data = {"emotion_dataset": "brighter:all", "emotion_label_columns": None, "data_dir": tmp_path / "data"}
    pushing = {"push_to_hub": True, "hub_model_id": "org/languages", "hub_patience": 60}
    few = {"recipe": "bert", "sentiment_dataset": None, "num_train_epochs": 1, "normalization": "auto"}
    with organisation_hub() as hub:
        argv = tiny_run.options(tmp_path, tmp_path / "out", **few, **data, **pushing)
        done = run_csr(hub, tmp_path / "home", *argv)
        assert done.returncode == 0, done.stderr
        repository = hub.repositories["org/languages"]
        card = repository.card_data()
        assert len(card["language"]) == 27 and {"af", "arq", "zh", "yo"} <= set(card["language"])
        assert card["datasets"] == ["brighter-dataset/BRIGHTER-emotion-categories"]
        assert "cc-by-4" in repository.files()["README.md"].decode().replace("\\", "")
        # The vocabulary travels inside tokenizer.json, with our steps before its own.
        assert not {"sentencepiece.bpe.model", "spiece.model"} & set(repository.files())
        texts = list(TEXTS.values())
        ids, scores = json.loads(outside(hub, tmp_path / "home", LOAD, "org/languages", json.dumps(texts), token=TOKEN))
    folder = tmp_path / "out" / "emotion-encoder"
    saved = AutoTokenizer.from_pretrained(folder)
    assert ids == saved(texts)["input_ids"] and not any(saved.unk_token_id in one for one in ids)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        logits = torch.cat([model(**saved(text, return_tensors="pt", truncation=True)).logits for text in texts])
    found = torch.tensor([[answer[emotion] for emotion in BRIGHTER_EMOTIONS] for answer in scores])
    torch.testing.assert_close(found, logits, atol=1e-5, rtol=0)
