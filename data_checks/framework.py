"""Great Expectations, loaded at the last moment and without what nobody here asks of it."""

from __future__ import annotations

import gc
import importlib.util
import logging
import os
import sys
from typing import Any


def import_framework() -> Any:
    """
    Import Great Expectations and its expectations: seconds and 150 MB that a mere list spares.

    Without what only divergences need, and without collecting garbage, it takes half the time.
    Nothing is reported to its makers.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # hundreds of lines a close
    collects = gc.isenabled()
    gc.disable()
    try:
        _put_off("scipy.stats")
        import great_expectations
        import great_expectations.expectations
    finally:
        if collects:
            gc.enable()
    return great_expectations


def _put_off(name: str) -> None:
    """Let a module be loaded by whoever uses it first."""
    if name in sys.modules:
        return
    package, _, attribute = name.rpartition(".")
    parent = importlib.import_module(package)
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    setattr(parent, attribute, module)
