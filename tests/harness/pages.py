"""Pages whose programs are files, named by their first line, and whose sessions are typed in their order."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path


def assert_true(page: Path, folder: Path, *, at_least: int) -> None:
    """Write the programs of a page to `folder`, which can be imported from, and type its sessions."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    files = {found[1]: block for block in blocks if (found := re.match(r"# (\w+)\.py\n", block))}
    for name, block in files.items():
        assert name not in sys.modules
        (folder / f"{name}.py").write_text(block, encoding="utf-8")
    session = "\n".join(block for block in blocks if block.startswith(">>>"))
    said: list[str] = []

    test = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    results = doctest.DocTestRunner().run(test, out=said.append)
    for name in files:
        sys.modules.pop(name, None)  # each is imported by a session

    assert results.attempted >= at_least
    assert results.failed == 0, "".join(said)
    assert all(re.match(r"# \w+\.py\n|>>> ", block) for block in blocks), "a block is neither a program nor a session"
    assert text.count("```") == 2 * len(blocks)
