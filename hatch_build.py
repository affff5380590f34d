"""Carries datasets/ and benchmarks/ in the wheel as neuroai/_datasets and neuroai/_benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CARRIED = {"datasets": "neuroai/_datasets", "benchmarks": "neuroai/_benchmarks"}
LEFT_OUT = ("speed", "__pycache__")


class CarryFolders(BuildHookInterface):
    """Adds the files of both folders to a wheel; an editable install reads the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Map every carried file to its place in the package."""
        if version == "editable":
            return
        for folder, target in CARRIED.items():
            root = Path(self.root, folder)
            for path in sorted(root.rglob("*")):
                inside = path.relative_to(root)
                if path.is_file() and not set(inside.parts) & set(LEFT_OUT):
                    build_data["force_include"][str(path)] = f"{target}/{inside.as_posix()}"
