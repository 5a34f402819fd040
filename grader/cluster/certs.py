"""Certificates of a cluster: a certificate authority of its own, one certificate for each role.

Whoever holds a certificate of a cluster can run code on its workers: that is what Dask is. So the
private keys are the cluster's protection, and every file is readable by its owner alone.
"""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from grader.cluster.sealed import KEY_BYTES
from grader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed.security import Security

__all__ = ["ROLES", "Certs", "make_certs", "read_certs"]

ROLES = ("client", "scheduler", "worker")
DAYS = 90

_CA = "ca.pem"
_SHARED = "secret.key"
_SHARING = ("client", "worker")


@dataclass(frozen=True, slots=True)
class Certs:
    """One role's folder of certificates.

    Attributes:
        folder: holds ``ca.pem``, ``<role>.pem`` (certificate and key) and, of client and worker,
            ``secret.key``.
        role: one of `ROLES`.
    """

    folder: Path
    role: str

    def security(self) -> Security:
        """What Dask takes: mutual TLS, nothing unencrypted."""
        from distributed.security import Security  # noqa: PLC0415 - an extra

        ca, own = str(self.folder / _CA), str(self.folder / f"{self.role}.pem")
        return Security(
            tls_ca_file=ca,
            require_encryption=True,
            **{f"tls_{self.role}_cert": own, f"tls_{self.role}_key": own},
        )

    def secret(self) -> bytes:
        """The key that client and workers share.

        Raises:
            UsageError: it is not there, or damaged.
        """
        path = self.folder / _SHARED
        try:
            key = bytes.fromhex(path.read_text("ascii"))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} cannot be read ({error}); copy the folder that grade cluster certs made"
            ) from error
        if len(key) != KEY_BYTES:
            raise UsageError(f"{path} holds {len(key)} bytes, not {KEY_BYTES}; make it again")
        return key


def read_certs(folder: Path, role: str) -> Certs:
    """The certificates of a role.

    Args:
        folder: what `make_certs` made, or its subfolder of that role.
        role: one of `ROLES`.

    Raises:
        UsageError: files are missing, or others can read them.
    """
    own = folder / role if (folder / role).is_dir() else folder
    names = [_CA, f"{role}.pem", *([_SHARED] if role in _SHARING else [])]
    for name in names:
        path = own / name
        if not path.is_file():
            raise UsageError(f"{path} is missing; make certificates with grade cluster certs DIR")
        if path.stat().st_mode & 0o077 and name != _CA:
            raise UsageError(f"{path} can be read by others: chmod 600 {path}")
    return Certs(own, role)


def make_certs(folder: Path, *, days: int = DAYS) -> None:
    """Write a folder for each role; they appear together or not at all.

    Args:
        folder: new or empty.
        days: how long the certificates are valid.

    Raises:
        UsageError: it is there already, or cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name a new folder: keys are never overwritten")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        for role, name, data in _files(days):
            path = draft / role / name
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(data)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _files(days: int) -> Iterator[tuple[str, str, bytes]]:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("takehome-grader cluster", ca_key, None, ca_key, days)
    shared = secrets.token_hex(KEY_BYTES).encode()
    for role in ROLES:
        key = ec.generate_private_key(ec.SECP256R1())
        own = _certificate(f"takehome-grader {role}", key, ca, ca_key, days)
        pem = own.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        yield role, _CA, ca.public_bytes(serialization.Encoding.PEM)
        yield role, f"{role}.pem", pem
        if role in _SHARING:
            yield role, _SHARED, shared


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
    days: int,
) -> x509.Certificate:
    """A certificate signed by `signer`; of the authority itself if there is no issuer."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    usage = x509.KeyUsage(
        digital_signature=issuer is not None,
        key_cert_sign=issuer is None,
        crl_sign=issuer is None,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=10))  # clocks differ
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )
