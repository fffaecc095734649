"""The house is built as pyproject.toml says: every folder that is a package, and no other."""

from __future__ import annotations

import ast
import importlib
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
NOT_SHIPPED = {"tests", "bench", "docs"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_imported_from_this_repository(package):
    found = importlib.import_module(package)

    assert str(ROOT / package / "__init__.py") == found.__file__


def test_what_is_shipped_is_what_is_there():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_SHIPPED

    assert sorted(folders) == PACKAGES


def test_every_folder_with_code_in_it_is_a_package():
    folders = {path.parent.name for path in ROOT.glob("*/*.py")} - NOT_SHIPPED

    assert sorted(folders) == PACKAGES


@pytest.mark.parametrize("tool", ["mypy", "importlinter"])
def test_every_package_is_looked_at_by(tool):
    lists = {"mypy": "packages", "importlinter": "root_packages"}

    assert sorted(PROJECT["tool"][tool][lists[tool]]) == PACKAGES


def test_no_package_is_named_like_one_of_python():
    assert set() == set(PACKAGES) & sys.stdlib_module_names


def code_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def test_no_public_class_name_stands_for_two_things():
    names = Counter(
        statement.name
        for package in PACKAGES
        for path in code_of(package)
        for statement in ast.parse(path.read_text("utf-8")).body
        if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_")
    )

    assert [] == [name for name, count in names.items() if count > 1]
