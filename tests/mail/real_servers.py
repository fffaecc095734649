"""Real mail servers, started for a test and stopped after it: Postfix, its sink, Exim."""

from __future__ import annotations

import email
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

POSTFIX, SINK = "/usr/sbin/postfix", "/usr/sbin/smtp-sink"
MAIL_USER = 5000
PATIENCE = 60  # seconds, on a machine that is very busy
BOXES = "static:all/"

MAIN = """
compatibility_level = 3.6
queue_directory = {place}/spool
data_directory = {place}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
maillog_file = {place}/log
maillog_file_prefixes = {place}
myhostname = mx.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = regexp:{{ {{/./ ok}} }}
virtual_mailbox_base = {place}/mail
virtual_mailbox_maps = {boxes}
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{user}
virtual_minimum_uid = 100
local_recipient_maps =
alias_maps =
alias_database =
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_tls_loglevel = 0
message_size_limit = 200000
smtpd_client_connection_count_limit = 3
smtpd_client_event_limit_exceptions =
smtpd_hard_error_limit = 4
smtpd_soft_error_limit = 3
smtpd_error_sleep_time = 0
smtputf8_enable = yes
smtpd_recipient_restrictions =
  check_recipient_access regexp:{{ {rules} }}, permit_mynetworks, reject
"""
RULES = (
    "{/^grey/ 450 4.2.0 Greylisted, try later} {/^gone/ 550 5.1.1 User unknown}"
    " {/^full/ 452 4.2.2 Mailbox full} {/^drop/ 421 4.7.0 Too busy}"
)
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

EXIM = """
primary_hostname = exim.test
spool_directory = {place}/spool
log_file_path = {place}/log-%slog
pid_file_path =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
keep_environment =
message_size_limit = 200K
deliver_drop_privilege = true
never_users =
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
smtp_accept_max_per_connection = 20
smtp_accept_queue_per_connection = 0
smtp_max_unknown_commands = 3
begin acl
acl_rcpt:
  deny    local_parts = ^gone
          message = 5.1.1 User unknown
  defer   local_parts = ^grey
          message = 4.2.0 Greylisted
  drop    local_parts = ^drop
          message = 5.7.0 Go away
  accept  authenticated = *
  deny    message = 5.7.1 Log in first
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  maildir_format
  directory = {place}/mail
  user = Debian-exim
  envelope_to_add
  return_path_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{bill}}}}{{eq{{$auth3}}{{s3cret}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


@dataclass
class RealServer:
    """A server that listens on `port` and delivers into a Maildir."""

    place: Path
    port: int

    def messages(self, expected: int) -> list[Message]:
        """Return what has been delivered, once so many are there; fails after ten seconds."""
        box = self.place / "mail"
        deadline = time.monotonic() + PATIENCE
        while len(files := [*box.glob("**/new/*")]) < expected and time.monotonic() < deadline:
            time.sleep(0.05)
        return [email.message_from_bytes(file.read_bytes()) for file in files]

    def names(self, expected: int) -> list[str]:
        """Return the local parts of those it delivered to, in order."""
        return sorted(
            (message["X-Original-To"] or message["Envelope-To"]).partition("@")[0]
            for message in self.messages(expected)
        )


def need(program: str | None, name: str) -> str:
    """Return the program, or skip the test by name; in CI it must be there."""
    if program and Path(program).exists():
        return program
    if os.environ.get("CI"):
        pytest.fail(f"{name} is missing; .ci/run installs it")
    pytest.skip(f"{name} is not installed")


def a_certificate(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> tuple[Path, Path]:
    """Make a certificate, for 127.0.0.1 unless other names are given, that vouches for itself."""
    files = (folder / "cert.pem", folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=mail.test", "-addext", f"subjectAltName={names}",
         "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    return files


@contextmanager
def _place() -> Iterator[Path]:
    """A folder that the servers' own users may enter, which pytest's may not be."""
    with tempfile.TemporaryDirectory(prefix="billclose-mail-") as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


@contextmanager
def postfix(boxes: str = BOXES, more: str = "") -> Iterator[RealServer]:
    """Postfix with an account for everybody, unless `boxes` says otherwise."""
    need(POSTFIX, "Postfix")
    if os.geteuid() != 0:
        pytest.skip("Postfix starts for root only")
    with _place() as place:
        for name in ("etc", "spool", "data", "mail"):
            (place / name).mkdir()
        shutil.chown(place / "data", "postfix")
        os.chown(place / "mail", MAIL_USER, MAIL_USER)
        certificate, key = a_certificate(place)
        port = free_port()
        values = {"place": place, "certificate": certificate, "key": key, "user": MAIL_USER}
        main = MAIN.format(**values, rules=RULES, boxes=boxes)
        (place / "etc/main.cf").write_text(f"{main}\n{more}\n")
        (place / "etc/master.cf").write_text(MASTER.format(port=port))
        control = [POSTFIX, "-c", str(place / "etc")]
        subprocess.run([*control, "start"], check=True, capture_output=True)
        try:
            wait_for(port)
            yield RealServer(place, port)
        finally:
            subprocess.run([*control, "abort"], check=False, capture_output=True)
            wait_until_gone(port)


@contextmanager
def exim() -> Iterator[RealServer]:
    """Exim; BILLCLOSE_TEST_EXIM names the program, as its package does not go with Postfix's."""
    program = need(os.environ.get("BILLCLOSE_TEST_EXIM") or shutil.which("exim4"), "Exim")
    try:
        user = pwd.getpwnam("Debian-exim")
    except KeyError:
        need(None, "Exim's user")
        raise
    with _place() as place:
        certificate, key = a_certificate(place)
        for path in (place / "spool", place / "mail"):
            path.mkdir()
        for path in (place, place / "spool", place / "mail", key):
            os.chown(path, user.pw_uid, user.pw_gid)
        port = free_port()
        configuration = place / "exim.conf"
        configuration.write_text(
            EXIM.format(place=place, port=port, certificate=certificate, key=key)
        )
        # It calls itself again as a user of its own, who may not enter every folder.
        own = shutil.copyfile(program, place / "exim4")
        own.chmod(0o755)
        running = subprocess.Popen(
            [str(own), "-C", str(configuration), "-bdf"],
            stdout=subprocess.DEVNULL,
            stderr=(place / "errors").open("wb"),
        )
        try:
            wait_for(port)
            yield RealServer(place, port)
        finally:
            running.terminate()
            running.wait(10)


@contextmanager
def sink(*flags: str) -> Iterator[RealServer]:
    """Postfix's sink for tests, with its flags for faults; what it takes it only dumps."""
    need(SINK, "smtp-sink")
    with _place() as place:
        box = place / "mail"
        box.mkdir()
        box.chmod(0o777)
        port = free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        running = subprocess.Popen(
            [SINK, *user, *flags, "-d", f"{box}/%M.", f"127.0.0.1:{port}", "64"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(port)
            yield RealServer(place, port)
        finally:
            running.terminate()
            running.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"no server came up on port {port}")


def wait_until_gone(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.05)
