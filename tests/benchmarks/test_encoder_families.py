"""Tests of the tour of encoder families."""

import json
from pathlib import Path

import pytest

from benchmarks.encoder_families import main, tried


@pytest.mark.parametrize("family", ["squeezebert", "layoutlm"])
def test_encoders_that_cannot_do_without_their_pooler_work(family: str) -> None:
    found = tried(family)
    assert (found["padding"], found["reload"], found["learns"]) == ("independent", "exact", "yes")


def test_what_mixes_texts_with_their_padding_is_told(tmp_path: Path) -> None:
    main(["--families", "fnet", "ibert", "--results_dir", str(tmp_path)])
    found = json.loads((tmp_path / "encoder_families.json").read_text())["found"]
    assert found["fnet"]["padding"].startswith("changes it by")
    assert "no blocks with linear layers" in found["ibert"]["LoRA in"]
    assert "| `fnet` |" in (tmp_path / "encoder_families.md").read_text()
