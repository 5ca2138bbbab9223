"""Processes that have imported nothing of ours, started in a fraction of the time that the interpreter takes.

Most of what a test's `subprocess.run([sys.executable, ...])` costs are the imports of torch, scikit-learn and the like.
`fork_server.py` imports them once for all tests, and these processes are its forks. They import huggingface_hub,
transformers, datasets and our own code themselves, from the environment that they are given. All forks share the
server's hash seed. What a test proves about the start itself, or about memory, needs `subprocess`.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("fork_server.py")
LIBRARIES = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]


def run(
    *program: str | Path, env: dict[str, str], cwd: str | Path | None = None, timeout: float | None = 600
) -> subprocess.CompletedProcess:
    """As `subprocess.run` with captured text and nobody to answer a question.

    Args:
        program: Python's arguments: a script or `-c CODE` or `-m MODULE`, and what it gets; `-S` before them for a
            process that finds libraries in PYTHONPATH alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, error = (Path(folder) / name for name in ("out", "error"))
        process = FreshProcess(*program, env=env, cwd=cwd, stdout=out, stderr=error)
        try:
            code = process.wait(timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        said = [path.read_text(encoding="utf-8") for path in (out, error)]
    return subprocess.CompletedProcess([str(word) for word in program], code, *said)


class FreshProcess:
    """As `subprocess.Popen`, as far as tests need it. `stdout` and `stderr` are appended to; they may be one file."""

    def __init__(
        self,
        *program: str | Path,
        env: dict[str, str],
        stdout: Path,
        stderr: Path,
        cwd: str | Path | None = None,
    ) -> None:
        words = [str(word) for word in program]
        site = words[0] != "-S"
        self.returncode: int | None = None
        self.pid = _server().ask(
            program=words if site else words[1:],
            site=site,
            libraries=LIBRARIES,
            environment=env,
            cwd=str(cwd or Path.cwd()),
            files=[os.devnull, str(stdout), str(stderr)],
        )

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _server().ask(wait=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (timeout or 3600)
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The process still runs after {timeout} s.")
            time.sleep(0.01)
        return self.returncode

    def kill(self) -> None:
        # Until poll() has its return code, no other process gets its number.
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


class _Server:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(LIBRARIES)}
        # One thread, for a fork has only the one that forked. What else libraries start threads for is not used here.
        environment |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        # Without `site` (-S) no hook of an editable installation runs; -P leaves this folder out of the path.
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-P", str(SERVER)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._stop)

    def _stop(self) -> None:
        self._process.stdin.close()
        self._process.wait()

    def ask(self, **request: Any) -> Any:
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer, "The fork server has ended."
        return json.loads(answer)


@cache
def _server() -> _Server:
    return _Server()
