"""Copy the result tables into README.md: between `<!-- from FILE -->` and `<!-- end -->` stands what FILE holds.

python benchmarks/readme.py
"""

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- from (?P<file>\S+) -->\n.*?<!-- end -->", re.DOTALL)


def with_results(text: str) -> str:
    """The README with each block filled anew.

    Raises:
        FileNotFoundError: If a file that a block names does not exist.
    """

    def fill(block: re.Match) -> str:
        results = (REPOSITORY / block["file"]).read_text(encoding="utf-8").strip()
        return f"<!-- from {block['file']} -->\n\n{results}\n\n<!-- end -->"

    return BLOCK.sub(fill, text)


def main() -> None:
    readme = REPOSITORY / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = with_results(before)
    readme.write_text(after, encoding="utf-8")
    print("README.md was up to date." if after == before else "README.md has the new results.", file=sys.stderr)


if __name__ == "__main__":
    main()
