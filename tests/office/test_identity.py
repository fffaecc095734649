"""Who stands in the audit list."""

from __future__ import annotations

import os
import pwd

import pytest

from office import identity
from office.identity import person

US = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def login(tmp_path, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "anna")
    monkeypatch.setenv("LOGNAME", "billclose")
    monkeypatch.setattr(identity, "LOGIN", tmp_path / "loginuid")
    return tmp_path / "loginuid"


def test_who_logged_in_counts_whatever_the_environment_says(login):
    login.write_text(str(os.getuid()))

    assert US == person()


@pytest.mark.parametrize("text", ["4294967295", "4000000000", "", "garbled", None])
def test_else_it_is_whom_sudo_names(login, text):
    """A service or container, a user that no list names, no Linux."""
    if text is not None:
        login.write_text(text)

    assert "anna" == person()


def test_else_it_is_the_user(login, monkeypatch):
    monkeypatch.delenv("SUDO_USER")

    assert "billclose" == person()
