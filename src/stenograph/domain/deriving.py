"""Keys for one purpose each, out of the secret of the data folder (HKDF, RFC 5869).

Here and where such keys are used, the package that does the work is imported when there is something to seal or to
open: it takes 6 MB, which most servers have no use for.
"""

from __future__ import annotations


def derived(secret: bytes, purpose: bytes) -> bytes:
    """32 bytes; those for another purpose tell nothing of them."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret)
