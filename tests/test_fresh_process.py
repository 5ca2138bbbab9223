"""The processes that tests start in place of an interpreter: they must be as fresh, and end as it does."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.helpers import fresh_process, tiny_run

OURS = ("modeling_csr", "trainers", "model_cards", "tests")
READ_THE_ENVIRONMENT = ("huggingface_hub", "transformers", "datasets", "accelerate")
TELL = f"""
import json, os, sys
before = sorted({{name.split(".")[0] for name in sys.modules}} & set({OURS + READ_THE_ENVIRONMENT}))
from huggingface_hub import constants
print(json.dumps([before, sys.argv, os.getcwd(), dict(os.environ), constants.ENDPOINT, constants.HF_HOME, __name__]))
"""


def libraries() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(fresh_process.LIBRARIES), "OMP_NUM_THREADS": "1"}


def test_nothing_of_ours_is_there_and_the_environment_is_the_given_one(tmp_path: Path) -> None:
    given = libraries() | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "home")}
    done = fresh_process.run("-S", "-c", TELL, "one", "two words", env=given, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    before, argv, folder, environment, endpoint, home, name = json.loads(done.stdout)
    assert before == []
    assert (argv, folder, name) == (["-c", "one", "two words"], str(tmp_path), "__main__")
    assert environment == given
    assert (endpoint, home) == (given["HF_ENDPOINT"], given["HF_HOME"])


def test_our_code_is_found_on_request_only(tmp_path: Path) -> None:
    code = "import importlib.util; print(importlib.util.find_spec('trainers') is not None)"
    assert fresh_process.run("-S", "-c", code, env=libraries(), cwd=tmp_path).stdout == "False\n"
    assert fresh_process.run("-c", code, env=tiny_run.environment(), cwd=tmp_path).stdout == "True\n"


def test_script_has_its_folder_and_file(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("VALUE = 'beside'")
    script = tmp_path / "script.py"
    script.write_text("import sys, beside; print(beside.VALUE, __file__, sys.argv[1:], sys.stdin.read() == '')")
    done = fresh_process.run(script, "-x", env=libraries())
    assert done.stdout == f"beside {script} ['-x'] True\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", (0, "", "")),
        ("import sys; sys.exit()", (0, "", "")),
        ("import sys; print('so far'); sys.exit(3)", (3, "so far\n", "")),
        ("raise SystemExit('no such file')", (1, "", "no such file\n")),
        ("import atexit; atexit.register(print, 'last'); print('first')", (0, "first\nlast\n", "")),
        (
            "import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()",
            (0, "thread\n", ""),
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", (-signal.SIGTERM, "", "")),
    ],
)
def test_end(code: str, expected: tuple[int, str, str]) -> None:
    done = fresh_process.run("-c", code, env=libraries())
    assert (done.returncode, done.stdout, done.stderr) == expected


def test_error_has_a_traceback() -> None:
    done = fresh_process.run("-c", "def fail():\n    1 / 0\nfail()", env=libraries())
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback") and done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_no_two_draw_the_same_random_numbers() -> None:
    code = "import random, numpy; print(random.random(), numpy.random.random())"
    first, second = (fresh_process.run("-c", code, env=libraries()).stdout.split() for _ in range(2))
    assert not set(first) & set(second)


def test_process_that_is_killed_and_one_that_takes_too_long(tmp_path: Path) -> None:
    code = "import time; print('started', flush=True); time.sleep(600)"
    log = tmp_path / "log"
    process = fresh_process.FreshProcess("-c", code, env=libraries(), stdout=log, stderr=log)
    while not (log.exists() and log.read_text()):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    assert process.wait() == process.poll() == -signal.SIGKILL
    with pytest.raises(TimeoutError, match=r"still runs after 0\.2 s"):
        fresh_process.run("-c", code, env=libraries(), timeout=0.2)
