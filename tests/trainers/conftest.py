from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers import tiny_run, tiny_trainers


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The module `tests/helpers/tiny_trainers.py`."""
    return tiny_trainers


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder and data; read only."""
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="session")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of one run of the paper's recipes and of the controls; read only."""
    from tests.helpers.recipes import CONTROLS
    from trainers.recipes import PAPER_RECIPES

    output_dir = tmp_path_factory.mktemp("finished") / "out"
    options = tiny_run.options(
        place, output_dir, recipe=[*PAPER_RECIPES, *CONTROLS], draw_figures=True, **tiny_run.LEARNING
    )
    tiny_run.example("run_csr").main(options)
    return output_dir
