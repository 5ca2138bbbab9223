"""Third-party libraries imported once, and a fork for every process that needs them: see `fresh_process.py`, which
starts this file as a script. It is none of the modules that a fork has, nor is any of ours."""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import sys
import traceback
import types
import warnings
from typing import Any

# Slow to import and the same whatever the environment. Not huggingface_hub, transformers, datasets and what imports
# them: where the Hub and the caches are, they read when they are imported, and each process has its own.
LIBRARIES = [
    "torch",
    "torch._dynamo",
    "torch.distributed.checkpoint",
    "torch.distributed.fsdp",
    "torch.distributed.tensor",
    "torch.utils.data",
    "numpy",
    "scipy.stats",
    "sklearn.metrics",
    "sklearn.model_selection",
    "pandas",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.json",
    "pyarrow.parquet",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "mpl_toolkits.mplot3d",
    "PIL.ImageOps",
    "safetensors.torch",
    "tokenizers",
    "regex",
    "emoji",
    "yaml",
    "jinja2.ext",
    "jinja2.meta",
    "jinja2.sandbox",
    "httpx",
    "httpx2",
    "anyio",
    "h11",
    "requests",
    "filelock",
    "fsspec.implementations.local",
    "tenacity",
    "tqdm.auto",
    "rich",
    "multiprocess.pool",
    "dill",
    "xxhash",
]
TOO_EARLY = {"huggingface_hub", "transformers", "datasets", "accelerate", "modeling_csr", "trainers", "model_cards"}


def serve() -> dict[str, Any]:
    """Answers requests, one a line, until there are no more; in a fork, returns what was asked of it."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):  # the lowest versions need fewer
            importlib.import_module(name)
    assert not TOO_EARLY & sys.modules.keys(), TOO_EARLY & sys.modules.keys()
    # What lies here stays shared: no collection of a fork goes through it.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            pid, status = os.waitpid(request["wait"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            with warnings.catch_warnings():
                # PyArrow's memory allocator has a thread, and sees to forks itself.
                warnings.simplefilter("ignore", DeprecationWarning)
                answer = os.fork()
            if not answer:
                return request
        print(json.dumps(answer), flush=True)
    os._exit(0)


def become(request: dict[str, Any]) -> None:
    """Makes this process what the interpreter would be at the first line of a program."""
    for number, flags in enumerate((os.O_RDONLY, *2 * (os.O_WRONLY | os.O_CREAT | os.O_APPEND,))):
        file = os.open(request["files"][number], flags)
        os.dup2(file, number)
        os.close(file)
    # Who waits for a line gets it at once.
    sys.stdout.reconfigure(line_buffering=True)
    # What the server had read ahead is not this process's.
    sys.stdin = os.fdopen(0, closefd=False)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    numpy = sys.modules.get("numpy")
    if numpy:
        numpy.random.seed()
    libraries = request["libraries"]
    standard = [path for path in sys.path if path not in libraries]
    given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [*given, *standard, *(libraries if request["site"] else [])]
    importlib.invalidate_caches()


def run(program: list[str]) -> None:
    """`-c CODE ...`, `-m MODULE ...` or `SCRIPT ...`, as of Python's own command line."""
    sys.argv = program[1:] if program[0] == "-m" else program
    if program[0] == "-m":
        sys.path.insert(0, os.getcwd())
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
        return
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    if program[0] == "-c":
        sys.argv = ["-c", *program[2:]]
        sys.path.insert(0, "")
        code = compile(program[1], "<string>", "exec")
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(program[0])))
        main.__file__ = program[0]
        with open(program[0], "rb") as file:
            code = compile(file.read(), program[0], "exec")
    exec(code, main.__dict__)


class End:
    """How the process ends: as the interpreter would, but for the third of a second that freeing all modules takes."""

    code = 1

    def __call__(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)


if __name__ == "__main__":
    _end = End()
    atexit.register(_end)  # before all others, and so called after them
    _request = serve()
    try:
        become(_request)
        run(_request["program"])
        _end.code = 0
    except SystemExit as _exit:
        _end.code = _exit.code if isinstance(_exit.code, int) else int(_exit.code is not None)
        if isinstance(_exit.code, str):
            print(_exit.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
