"""The house is built as pyproject.toml says: every folder that is a package, and no other."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from collections.abc import Mapping, Set
from functools import cache
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


def test_the_runbook_is_shipped_where_the_office_looks_for_it(tmp_path):
    from web.office.administration.runbook import SHIPPED

    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as shipped:
        pages = [
            name
            for name in shipped.namelist()
            if name.startswith(f"{SHIPPED.relative_to(ROOT).as_posix()}/")
        ]

    assert {path.name for path in (ROOT / "docs" / "runbook").iterdir()} == {
        Path(name).name for name in pages
    }


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


FOLDERS = sorted({path.parent for package in [*PACKAGES, "bench"] for path in code_of(package)})
MOST_FILES = 16
FREE_TO_GROW = {"domain", "command_line/commands"}  # one noun a file, one command a file
NAMED_FROM_OUTSIDE = FREE_TO_GROW | {"flows"}  # as a person types them, or reads them in Prefect


@pytest.mark.parametrize("folder", [str(folder.relative_to(ROOT)) for folder in FOLDERS])
def test_a_folder_is_seen_at_a_glance(folder):
    names = [path.stem for path in (ROOT / folder).glob("*.py")]
    prefixes = Counter(name.partition("_")[0] for name in names)

    assert folder in FREE_TO_GROW or len(names) <= MOST_FILES
    assert folder in NAMED_FROM_OUTSIDE or [] == [
        prefix for prefix, count in prefixes.items() if prefix and count > 2
    ]


def modules() -> dict[str, Path]:
    """Return all shipped files by their module's name; a package's `__init__` by the package's."""
    paths = [path.relative_to(ROOT) for package in PACKAGES for path in code_of(package)]
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def imports() -> Mapping[str, Set[str]]:
    """Return which module imports which, those included that only the type checker reads."""
    known = modules()
    found: dict[str, set[str]] = {name: set() for name in known}
    for name, path in known.items():
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                wanted = {f"{node.module}.{one.name}" for one in node.names}
                found[name] |= {one if one in known else node.module for one in wanted}
            elif isinstance(node, ast.Import):
                found[name] |= {one.name for one in node.names}
    return {name: (wanted & known.keys()) - {name} for name, wanted in found.items()}


def circles(edges: Mapping[str, Set[str]]) -> list[str]:
    """Return what is left when all that imports nothing, or only such, is taken away again."""
    left = dict(edges)
    while free := [one for one, wanted in left.items() if not wanted & left.keys()]:
        for one in free:
            del left[one]
    return sorted(left)


def test_no_file_imports_itself_by_way_of_others():
    assert [] == circles(imports())


def test_no_folder_of_a_package_imports_itself_by_way_of_others():
    places = {name: path.parent for name, path in modules().items()}
    edges: dict[str, set[str]] = {}
    for name, wanted in imports().items():
        wing = places[name]
        others = {places[one] for one in wanted} - {wing}
        alike = {str(one) for one in others if one.parts[0] == wing.parts[0] and len(one.parts) > 1}
        if len(wing.parts) > 1:
            edges.setdefault(str(wing), set()).update(alike)

    assert [] == circles(edges)


def test_a_circle_is_found():
    assert ["a", "b"] == circles({"a": {"b"}, "b": {"a"}, "c": set()})
    assert [] == circles({"a": {"b"}, "b": {"c"}, "c": set()})


def children_of(source: str) -> list[str]:
    """Return the options with which a module starts Python anew, one of each start."""
    if "sys.executable" not in source:
        return []
    return [
        node.elts[1].value if len(node.elts) > 1 and isinstance(node.elts[1], ast.Constant) else ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.List | ast.Tuple)
        and node.elts
        and ast.unparse(node.elts[0]) == "sys.executable"
    ]


def test_no_process_of_ours_takes_code_from_the_folder_it_is_started_in():
    """A web.py or mail.py that lies there would be run in the place of ours."""
    started = {
        name: children_of((ROOT / path).read_text("utf-8")) for name, path in modules().items()
    }

    assert {"-P"} == {option for options in started.values() for option in options}
    assert [] == children_of("x = 1") and ["-c"] == children_of("[sys.executable, '-c', x]")
