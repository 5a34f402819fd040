"""Encryption between client and workers: the scheduler passes bytes on that it cannot read.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits, by the ``cryptography`` package. The
key is in the folder of certificates, in the client's and the workers' only.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from grader.errors import PlatformError

__all__ = ["KEY_BYTES", "opened", "sealed"]

KEY_BYTES = 32
_NONCE = 12


def sealed(data: bytes, key: bytes, about: str) -> bytes:
    """Encrypt and authenticate.

    Args:
        data: the plain bytes.
        key: 32 bytes.
        about: what it is; `opened` has to be told the same, so that nothing passes for another.
    """
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, about.encode())


def opened(box: bytes, key: bytes, about: str) -> bytes:
    """Decrypt what `sealed` made.

    Raises:
        PlatformError: it was made with another key, for another purpose, or was changed.
    """
    try:
        return AESGCM(key).decrypt(box[:_NONCE], box[_NONCE:], about.encode())
    except (InvalidTag, ValueError) as error:
        raise PlatformError(
            "what came over the cluster does not open: client and workers have different secrets; "
            "give all of them the certificates that one grade cluster certs made"
        ) from error
