"""Ed25519 signatures (RFC 8032) with a team's own key, by the ``cryptography`` package.

A key is configured where the variable ``GRADER_SIGNING_KEY`` names its file, or where
``hidden_tests/.grader-key.pem`` exists, which Git ignores. Nothing else in this program reads it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["KEY_FILE", "VARIABLE", "Signature", "configured_key", "make_key", "read_public_key"]

KEY_FILE = ".grader-key.pem"
VARIABLE = "GRADER_SIGNING_KEY"
_ALGORITHM = "ed25519"
_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature with the public key that it was made for.

    Attributes:
        public_key: 32 bytes.
        signature: 64 bytes.
    """

    public_key: bytes
    signature: bytes

    @property
    def fingerprint(self) -> str:
        """The key's name for people: 16 hexadecimal digits of its SHA-256."""
        return hashlib.sha256(self.public_key).hexdigest()[:16]

    def to_json(self) -> str:
        """One JSON object and a line end."""
        parts = {
            "algorithm": _ALGORITHM,
            "public_key": base64.b64encode(self.public_key).decode(),
            "signature": base64.b64encode(self.signature).decode(),
        }
        return json.dumps(parts, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Signature:
        """Read what `to_json` wrote.

        Raises:
            UsageError: it is something else.
        """
        try:
            parts = json.loads(text)
            if parts["algorithm"] != _ALGORITHM:
                raise ValueError(f"algorithm {str(parts['algorithm'])[:20]}")  # noqa: TRY301
            return cls(
                base64.b64decode(parts["public_key"], validate=True),
                base64.b64decode(parts["signature"], validate=True),
            )
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise UsageError(f"this is no signature of a run: {error}") from None

    def holds(self, message: bytes) -> bool:
        """Whether it is a signature of `message` by its own key."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 50 ms, rarely used
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PublicKey,
        )

        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(self.signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Key:
    """A private key."""

    _key: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        """Its 32 public bytes."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> Signature:
        """Sign a message."""
        return Signature(self.public_key, self._key.sign(message))


def configured_key(hidden_root: Path) -> Key | None:
    """The key to sign with, or None where none is configured.

    Args:
        hidden_root: the folder ``hidden_tests``.

    Raises:
        UsageError: a key is configured and cannot be used; runs are never silently unsigned.
    """
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else hidden_root / KEY_FILE
    if not named and not path.exists():
        return None
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - as above
        Ed25519PrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        if path.stat().st_mode & 0o077:
            raise UsageError(f"{path} can be read by others: chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{path} is no signing key ({error}); make one with `grade keygen`"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} holds no Ed25519 key; make one with `grade keygen`")
    return Key(key)


def make_key(path: Path) -> Path:
    """Make a private key that only its owner can read, and its public part beside it.

    Returns:
        The path of the public key, ``<path without .pem>.pub.pem``.

    Raises:
        UsageError: there is a file already; a key is never overwritten.
    """
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    told = path.with_name(f"{path.name.removesuffix('.pem')}.pub.pem")
    if told.exists():
        raise UsageError(f"{told} exists; a key is not overwritten, choose another path")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    except FileExistsError:
        raise UsageError(f"{path} exists; a key is not overwritten, choose another path") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(private)
    told.write_bytes(public)
    return told


def read_public_key(path: Path) -> bytes:
    """The 32 bytes of a public key file.

    Raises:
        UsageError: it holds none.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - as above
        Ed25519PublicKey,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path} holds no Ed25519 key")
    return key.public_bytes_raw()
