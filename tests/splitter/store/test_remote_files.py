"""The bill store on a URL: whole files or none, checked, tried again, and no secret anywhere."""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
from typing import ClassVar

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from domain.failures import Misuse, TemporaryFailure
from splitter.store import remote as remote_files
from splitter.store.bill_store import BillStore
from tests.object_store import SECRET, object_store


@pytest.fixture(scope="module")
def s3():
    with pytest.MonkeyPatch.context() as environment, object_store(environment) as running:
        yield running


@pytest.fixture
def s3_store(s3, request):
    return BillStore(f"{s3.url}/{request.node.name}")


class Faulty(MemoryFileSystem):
    """A store that fails as told: so many times, or with what it says it has."""

    protocol = "faulty"
    store: ClassVar[dict[str, object]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    failures = 0
    loses = 0  # bytes

    def pipe_file(self, path, value, mode="overwrite", **options):
        if Faulty.failures:
            Faulty.failures -= 1
            raise ConnectionResetError
        super().pipe_file(path, value[: len(value) - Faulty.loses], mode, **options)


@pytest.fixture
def faulty(monkeypatch):
    import fsspec

    fsspec.register_implementation("faulty", Faulty, clobber=True)
    monkeypatch.setattr(remote_files, "FIRST_PAUSE", 0.001)
    Faulty.failures = Faulty.loses = 0
    Faulty.store.clear()
    return BillStore("faulty://bills")


def test_s3_keeps_what_was_written(s3_store, tmp_path):
    s3_store.write("2026-10/1.pdf", b"one")
    s3_store.write("2026-10/1.pdf", b"two")
    s3_store.write_all([(f"2026-10/a/{number}.pdf", bytes([number])) for number in range(60)])
    s3_store.get_file("2026-10/1.pdf", tmp_path / "copy.pdf")

    assert s3_store.read("2026-10/1.pdf") == b"two"
    assert (tmp_path / "copy.pdf").read_bytes() == b"two"
    assert [bytes([number]) for number in range(60)] == [
        s3_store.read(f"2026-10/a/{number}.pdf") for number in range(60)
    ]


def test_s3_forgets_a_run_and_no_other(s3_store):
    for path in ("2026-10/a/1.pdf", "2026-10/2.pdf", "2026-11/3.pdf"):
        s3_store.write(path, b"one")

    s3_store.delete_run("2026-10")
    s3_store.delete_run("2026-10")

    assert [
        s3_store.exists(path) for path in ("2026-10/a/1.pdf", "2026-10/2.pdf", "2026-11/3.pdf")
    ] == [False, False, True]


def test_what_another_machine_wrote_is_seen_at_once(s3, s3_store):
    other = BillStore(f"{s3.url}/{test_what_another_machine_wrote_is_seen_at_once.__name__}")
    assert not s3_store.exists("2026-10/1.pdf")

    other.write("2026-10/1.pdf", b"one")

    assert s3_store.exists("2026-10/1.pdf")
    assert s3_store.read("2026-10/1.pdf") == b"one"


def test_a_large_file_that_is_not_finished_is_not_in_s3(s3_store):
    with pytest.raises(RuntimeError), s3_store.open_new("2026-10/bulk.pdf") as file:
        file.write(b"half" * 3_000_000)  # more than a part of an upload
        raise RuntimeError

    assert not s3_store.exists("2026-10/bulk.pdf")
    with pytest.raises(FileNotFoundError):
        s3_store.read("2026-10/bulk.pdf")


def test_s3_is_told_the_hash_of_what_it_gets(s3, monkeypatch):
    from s3fs import S3FileSystem

    told = []
    put = S3FileSystem._pipe_file

    async def watched(self, path, data, *arguments, **options):
        told.append(options.get("ChecksumSHA256"))
        await put(self, path, data, *arguments, **options)

    monkeypatch.setattr(S3FileSystem, "_pipe_file", watched)
    S3FileSystem.clear_instance_cache()

    BillStore(s3.url).write("1.pdf", b"one")
    S3FileSystem.clear_instance_cache()

    assert [base64.b64encode(hashlib.sha256(b"one").digest()).decode()] == told


def test_a_bucket_that_is_not_there_is_a_wrong_setting(s3):
    with pytest.raises(Misuse, match="no bucket"):
        BillStore("s3://nobody/bills").write("1.pdf", b"one")


def test_without_keys_nothing_is_tried_twice_and_no_secret_is_told(s3, monkeypatch, tmp_path):
    from s3fs import S3FileSystem

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    S3FileSystem.clear_instance_cache()

    with pytest.raises(Misuse, match="credentials"):
        BillStore(s3.url).write("1.pdf", b"one")
    S3FileSystem.clear_instance_cache()


def test_no_key_and_no_secret_is_in_any_log(s3, s3_store, caplog):
    with caplog.at_level(logging.DEBUG):
        s3_store.write("2026-10/1.pdf", b"one")
        s3_store.read("2026-10/1.pdf")

    told = [record for record in caplog.records if not record.name.startswith("moto")]
    assert SECRET not in "".join(record.getMessage() for record in told)


def test_a_store_that_nobody_answers_for_is_a_temporary_failure(s3, monkeypatch):
    from s3fs import S3FileSystem

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    monkeypatch.setattr(remote_files, "TRIES", 1)
    S3FileSystem.clear_instance_cache()

    with pytest.raises(TemporaryFailure, match="cannot be read"):
        BillStore(s3.url).read("1.pdf")
    S3FileSystem.clear_instance_cache()


def test_a_write_is_tried_again(faulty):
    Faulty.failures = remote_files.TRIES - 1

    faulty.write("2026-10/1.pdf", b"one")

    assert faulty.read("2026-10/1.pdf") == b"one"


def test_a_store_that_goes_on_failing_is_a_temporary_failure_and_holds_nothing(faulty):
    Faulty.failures = remote_files.TRIES

    with pytest.raises(TemporaryFailure, match="cannot be written"):
        faulty.write("2026-10/1.pdf", b"one")

    assert not faulty.exists("2026-10/1.pdf")


def test_a_file_that_arrived_short_is_never_there_under_its_name(faulty):
    Faulty.loses = 1

    with pytest.raises(TemporaryFailure):
        faulty.write("2026-10/1.pdf", b"one")

    assert not faulty.exists("2026-10/1.pdf")
    assert [] == [path for path in Faulty.store if path.endswith(".new")]


@pytest.mark.parametrize("url", ["sftp://anna:hunter2@files/bills", "s3://key:hunter2@bucket/x"])
def test_a_password_in_the_url_is_refused_and_not_repeated(url):
    with pytest.raises(Misuse) as refused:
        BillStore(url)

    assert "hunter2" not in str(refused.value)


def test_a_url_that_no_library_knows_is_a_wrong_setting():
    with pytest.raises(Misuse, match=r"bills\.store"):
        BillStore("nothing://bills").write("1.pdf", b"one")
