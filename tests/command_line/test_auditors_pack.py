"""The auditor's pack: complete, provable, private, and the same twice."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import stat
import subprocess
import zipfile

import pytest

from domain.audit_chain import chain_hash
from tests.flows.town import TOWN

MEMBERS = [
    *("README.txt", "report.html", "figures.json", "checks.csv", "findings.csv", "waivers.csv"),
    *("approvals.json", "audit.csv", "chain.csv", "bills.sha256", "print.sha256"),
    *("settings.json", "versions.json", "MANIFEST"),
]
SAID = ("at", "who", "action", "subject", "detail", "machine_at")
SECRETS = {
    "BILLCLOSE_SMTP__PASSWORD": "hunter2-mail",
    "BILLCLOSE_SMTP__USERNAME": "billing",
    "BILLCLOSE_DATABASE__URL": "",
    "BILLCLOSE_PAYMENTS__STRIPE_API_KEY": "not-to-be-seen",
}


@pytest.fixture(scope="module")
def office(closed, tmp_path_factory):
    return closed.copied(tmp_path_factory.mktemp("packed") / "office")


@pytest.fixture(scope="module")
def pack(office, tmp_path_factory):
    """A pack, unpacked: its files by name."""
    file = tmp_path_factory.mktemp("pack") / "pack.zip"
    answer = office("auditors-pack", "2026-10", "--to", file, **SECRETS)
    assert answer.status == 0, answer.err
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_everything_an_auditor_asks_for_is_in_it(office, pack):
    report = (office.home / "reports" / "close-2026-10.html").read_bytes()

    assert MEMBERS == list(pack)
    assert report == pack["report.html"]
    assert (11, "closed") == tuple(
        json.loads(pack["figures.json"])[key] for key in ("bills", "status")
    )
    assert len(office.rows("checks")) == len(rows(pack["checks.csv"]))
    assert 10 == len(rows(pack["findings.csv"]))
    (request,) = json.loads(pack["approvals.json"])
    assert ["approve"] == [decided["decision"] for decided in request["decisions"]]
    assert {"billclose", "python", "prefect", "schema"} <= json.loads(pack["versions.json"]).keys()


def test_the_manifest_and_the_bills_are_proved_by_an_ordinary_program(office, pack, tmp_path):
    for name, content in pack.items():
        (tmp_path / name).write_bytes(content)

    places = {"MANIFEST": tmp_path, "bills.sha256": office.home / "bills",
              "print.sha256": office.home}  # fmt: skip
    for sums, place in places.items():
        checked = subprocess.run(
            ["sha256sum", "--strict", "-c", tmp_path / sums], cwd=place, capture_output=True,
            text=True,
        )  # fmt: skip
        assert (0, "") == (checked.returncode, checked.stderr), sums
        assert checked.stdout.count(": OK\n") == len(pack[sums].splitlines()) > 0


def test_the_chain_can_be_counted_again_from_the_pack_alone(office, pack):
    acts, links = rows(pack["audit.csv"]), rows(pack["chain.csv"])

    by_number = {link["number"]: link for link in links}
    for act in acts:
        said = [int(act["number"]), *(act[name] for name in SAID), act["rehearsed"] == "true"]
        content = hashlib.sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()
        assert content == by_number[act["number"]]["content_sha256"]
    for before, link in zip([None, *links], links, strict=False):
        assert link["hash"] == chain_hash(link["previous"], link["content_sha256"])
        assert before is None or before["hash"] == link["previous"]
    assert {"import", "approve", "close", "finish"} <= {act["action"] for act in acts}


def test_the_same_period_gives_the_same_bytes(office, tmp_path):
    files = [tmp_path / "one.zip", tmp_path / "two.zip"]

    for file in files:
        assert 0 == office("auditors-pack", "2026-10", "--to", file).status

    first, second = (file.read_bytes() for file in files)
    assert first == second
    acts = [row for row in office.rows("audit") if row["action"] == "write auditor's pack"]
    assert f"sha256 {hashlib.sha256(first).hexdigest()}" == acts[-1]["detail"]


def test_only_its_owner_reads_it(office, tmp_path):
    file = tmp_path / "pack.zip"

    office("auditors-pack", "2026-10", "--to", file)

    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert [file] == list(tmp_path.iterdir())


def test_secrets_and_customers_are_not_in_it(pack):
    names = [found.name.partition(",")[0] for found in TOWN]
    beside = {name: text.decode() for name, text in pack.items() if name != "report.html"}

    for name, text in beside.items():
        assert [] == [word for word in ("hunter2", "not-to-be-seen") if word in text], name
        assert [] == [who for who in names if who in text], name
        assert "@example" not in text, name
    assert "[secret]" == json.loads(pack["settings.json"])["smtp"]["password"]
    assert "billing" == json.loads(pack["settings.json"])["smtp"]["username"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["2026-12", "--to", "/tmp/x.zip"], 2, "No export of period 2026-12"),
        (["2026-10", "--to", "/no/such/folder/x.zip"], 2, "There is no folder /no/such/folder"),
        (["2026-10"], 2, "--to"),
    ],
)
def test_wrong_words_are_refused(office, words, status, said):
    answer = office("auditors-pack", *words)

    assert status == answer.status
    assert said in answer.err


def test_a_period_that_is_not_closed_has_no_pack(desk, town, tmp_path):
    desk("import", town, "--as-of", "2026-11-02T09:00")

    words = ("auditors-pack", "2026-10", "--to", tmp_path / "x.zip")
    answers = [desk(*words), desk(*words, "--json")]

    assert [3, 3] == [answer.status for answer in answers]
    assert [] == list(tmp_path.glob("x.zip"))
