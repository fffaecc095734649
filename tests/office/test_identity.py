"""Who stands in the audit list."""

from __future__ import annotations

import os
import pwd

import pytest

from office import identity
from office.identity import origin, person

US = pwd.getpwuid(os.getuid()).pw_name
LOGGED_IN = identity._logged_in  # before a fixture lets tests say who is at work


@pytest.fixture
def login(tmp_path, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "anna")
    monkeypatch.setenv("LOGNAME", "billclose")
    monkeypatch.setattr(identity, "LOGIN", tmp_path / "loginuid")
    monkeypatch.setattr(identity, "_logged_in", LOGGED_IN)
    return tmp_path / "loginuid"


@pytest.fixture
def processes(tmp_path, monkeypatch):
    """What the machine says of the processes above this one, the nearest first."""

    def tell(*above: tuple[str, int, int]) -> None:
        folder = tmp_path / "proc"
        monkeypatch.setattr(identity, "PROCESSES", folder)
        numbers = [os.getppid(), *range(900_001, 900_001 + len(above))]
        for number, before, (name, real, effective) in zip(
            numbers, numbers[1:], above, strict=False
        ):
            (folder / str(number)).mkdir(parents=True)
            users = f"Uid:\t{real}\t{effective}\t{effective}\t{effective}"
            text = f"Name:\t{name}\nPPid:\t{before}\n{users}\n"
            (folder / str(number) / "status").write_text(text)

    return tell


def test_who_logged_in_counts_whatever_the_environment_says(login):
    login.write_text(str(os.getuid()))

    assert (US, "") == (person(), origin())


@pytest.mark.parametrize("text", ["4294967295", "4000000000", "", "garbled", None])
@pytest.mark.parametrize("sudos", [1, 2])
def test_else_it_is_who_called_sudo(login, processes, text, sudos):
    """A service or container, a user that no list names, no Linux."""
    if text is not None:
        login.write_text(text)
    processes(*[("sudo", 0, 0)] * sudos, ("bash", os.getuid(), os.getuid()), ("sshd", 0, 0))

    assert (US, "") == (person(), origin())


@pytest.mark.parametrize(
    "above",
    [
        pytest.param([("bash", 0, 0), ("sudo", 0, 0)], id="sudo is further up"),
        pytest.param([("sudo", 1000, 1000), ("bash", 1001, 1001)], id="somebody's own sudo"),
        pytest.param([("bash", 1000, 1000)], id="no sudo"),
        pytest.param([], id="nothing is known"),
        pytest.param([("sudo", 0, 0), ("bash", 3_999_999_999, 0)], id="a caller without a name"),
    ],
)
def test_what_the_environment_says_proves_nothing(login, processes, above):
    processes(*above, ("init", 0, 0))

    assert (US, f"uid {os.getuid()}") == (person(), origin())
