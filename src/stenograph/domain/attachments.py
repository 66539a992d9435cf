"""Files that came with runs: where they lie, and links that open one of them for a while without a key."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote
from uuid import UUID

from stenograph.errors import Forbidden


def attachment_key(workspace: UUID, run_id: UUID, name: str) -> str:
    """Where a run's file lies in the blob store.

    Its name is hashed: clients choose names that are longer than a file system takes, that climb (`..`), or
    that differ in case only.
    """
    return f"attachments/{workspace}/{run_id}/{hashlib.sha256(_bytes(name)).hexdigest()}"


class Links:
    """Signs and checks links. A link names the file, the second it expires, and a signature over both."""

    def __init__(self, secret: bytes, seconds: int) -> None:
        self._secret = secret
        self.seconds = seconds

    def sign(self, workspace: UUID, run_id: UUID, name: str, now: float) -> str:
        """Path and query of a link, relative to the server's root. Stable within a quarter of its life, so that
        two reads of one run are the same and caches work."""
        step = max(1, self.seconds // 4)
        expires = (int(now) // step) * step + self.seconds + step
        signature = self._signature(workspace, run_id, name, expires)
        place, query = quote(name, safe=""), f"expires={expires}&signature={signature}"
        if "/" in name or name in (".", ".."):
            # Clients and proxies tidy up paths; nobody touches a query.
            place, query = "file", f"name={place}&{query}"
        return f"/attachments/{workspace}/{run_id}/{place}?{query}"

    def check(
        self, workspace: UUID, run_id: UUID, name: str, expires: int, signature: str, now: float
    ) -> None:
        """Forbidden unless this link was signed here and has not expired."""
        expected = self._signature(workspace, run_id, name, expires)
        if not hmac.compare_digest(expected.encode(), _bytes(signature)):
            raise Forbidden("this link to an attachment is not valid")
        if now > expires:
            raise Forbidden("this link to an attachment has expired; read the run again for a new one")

    def _signature(self, workspace: UUID, run_id: UUID, name: str, expires: int) -> str:
        return hmac.new(
            self._secret, _bytes(f"{workspace}/{run_id}/{expires}/{name}"), hashlib.sha256
        ).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
