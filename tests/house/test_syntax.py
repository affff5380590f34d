"""Files are parsed whatever is collected meanwhile."""

from __future__ import annotations

import ast
import gc

from syntax import syntax_tree


def _parse_from(*, calls):
    """Parse from further up the stack, as the printing of a traceback does."""
    return _parse_from(calls=calls - 1) if calls else ast.parse("x = [1, (2, 3)]")


def test_what_is_collected_does_not_disturb_parsing(tmp_path):
    """A collection at every few objects, each of which parses something of its own."""
    source = tmp_path / "code.py"
    source.write_text("".join(f"x{i} = [{i}, ({i}, {{{i}: {i}}})]\n" for i in range(300)))
    collections = []

    def parses(phase, _):
        collections.append(phase)
        _parse_from(calls=30)

    kept = gc.get_threshold()
    gc.callbacks.append(parses)
    gc.set_threshold(5)
    try:
        tree = syntax_tree(source)
    finally:
        gc.set_threshold(*kept)
        gc.callbacks.remove(parses)
    assert len(tree.body) == 300
    assert collections
    assert gc.isenabled()
