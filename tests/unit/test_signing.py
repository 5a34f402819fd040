"""Keys and signatures."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from grader.errors import UsageError
from grader.record.signing import (
    KEY_FILE,
    VARIABLE,
    Signature,
    configured_key,
    make_key,
    read_public_key,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_signature_holds_for_its_message_only(tmp_path: Path) -> None:
    public = make_key(tmp_path / KEY_FILE)
    key = configured_key(tmp_path)
    assert key is not None
    signature = Signature.from_json(key.sign(b"message").to_json())
    assert signature.holds(b"message")
    assert not signature.holds(b"another")
    assert signature.public_key == read_public_key(public)
    other = dataclasses.replace(signature, public_key=b"\1" * 32)
    assert not other.holds(b"message")


def test_a_key_is_the_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists"):
        make_key(path)
    assert path.read_bytes() == before


def test_no_key_is_no_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert configured_key(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAA\n", None])
def test_a_key_that_cannot_be_used_is_an_error(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(path))
    with pytest.raises(UsageError, match="grade keygen"):
        configured_key(tmp_path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path / KEY_FILE)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        configured_key(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"algorithm": "none"}', '{"algorithm": 1}'])
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no signature"):
        Signature.from_json(text)
