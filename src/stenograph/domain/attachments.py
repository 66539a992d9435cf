"""Files that came with runs and examples: where they lie, and links that open one for a while without a key."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Final
from urllib.parse import quote, urlencode
from uuid import UUID

from stenograph.errors import Forbidden, Invalid, TooLarge

MAX_FILE_NAME: Final = 255


def attachment_key(workspace: UUID, run_id: UUID, name: str) -> str:
    """Where a run's file lies in the blob store.

    Its name is hashed: clients choose names that are longer than a file system takes, that climb (`..`), or
    that differ in case only.
    """
    return f"attachments/{workspace}/{run_id}/{hashlib.sha256(_bytes(name)).hexdigest()}"


def example_file_key(workspace: UUID, file_id: UUID) -> str:
    """Where an example's file lies. It has an id of its own, since versions of an example share files."""
    return f"example-attachments/{workspace}/{file_id}"


def attachment_run(key: str) -> UUID | None:
    """The run in the key of a run's file; None for that of another."""
    kind, _, run_id, _ = (*key.split("/"), "", "", "", "")[:4]
    return UUID(run_id) if kind == "attachments" else None


def key_workspace(key: str) -> UUID:
    """The workspace in the key of any file."""
    return UUID(key.split("/")[1])


def example_file_id(key: str) -> UUID:
    """The id in such a key."""
    return UUID(key.rpartition("/")[2])


def check_file(name: str, size: int, limit: int) -> None:
    """Invalid for a name that a file cannot have, TooLarge over `limit` bytes."""
    check_file_name(name)
    if size > limit:
        raise TooLarge(
            f"an attachment has {size} bytes; at most {limit} are taken (limit STENOGRAPH_MAX_ATTACHMENT_BYTES)"
        )


def check_file_name(name: str) -> None:
    """Invalid for a name that a file cannot have."""
    if not name:
        raise Invalid("an attachment has no name")
    if len(name) > MAX_FILE_NAME or "\0" in name:
        raise Invalid(f"an attachment's name has more than {MAX_FILE_NAME} characters, or a NUL")


class Links:
    """Signs and checks links. A link names the file, the second it expires, and a signature over both."""

    def __init__(self, secret: bytes, seconds: int) -> None:
        self._secret = secret
        self.seconds = seconds

    def sign(self, workspace: UUID, run_id: UUID, name: str, now: float) -> str:
        """Path and query of a link, relative to the server's root. Stable within a quarter of its life, so that
        two reads of one run are the same and caches work."""
        expires = self._expires(now)
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
        _compare(expected, signature, expires, now)

    def sign_example_file(self, workspace: UUID, file_id: UUID, name: str, mime_type: str, now: float) -> str:
        """The same for a file of an example. All that a download answers with is in the link, so that it opens
        the file of the version it was made for, whatever became of the example since."""
        expires = self._expires(now)
        stated = {
            "name": name,
            "type": mime_type,
            "expires": str(expires),
            "signature": self._example_signature(workspace, file_id, name, mime_type, expires),
        }
        return f"/example-attachments/{workspace}/{file_id}?{urlencode(stated, errors='replace')}"

    def check_example_file(
        self,
        workspace: UUID,
        file_id: UUID,
        name: str,
        mime_type: str,
        expires: int,
        signature: str,
        now: float,
    ) -> None:
        """Forbidden unless this link was signed here and has not expired."""
        expected = self._example_signature(workspace, file_id, name, mime_type, expires)
        _compare(expected, signature, expires, now)

    def _expires(self, now: float) -> int:
        step = max(1, self.seconds // 4)
        return (int(now) // step) * step + self.seconds + step

    def _example_signature(
        self, workspace: UUID, file_id: UUID, name: str, mime_type: str, expires: int
    ) -> str:
        # A list in JSON, since names and types may contain any separator; a link to a run's file never reads so.
        what = json.dumps(["example", str(workspace), str(file_id), name, mime_type, expires])
        return hmac.new(self._secret, what.encode(), hashlib.sha256).hexdigest()

    def _signature(self, workspace: UUID, run_id: UUID, name: str, expires: int) -> str:
        return hmac.new(
            self._secret, _bytes(f"{workspace}/{run_id}/{expires}/{name}"), hashlib.sha256
        ).hexdigest()


def _compare(expected: str, signature: str, expires: int, now: float) -> None:
    if not hmac.compare_digest(expected.encode(), _bytes(signature)):
        raise Forbidden("this link to an attachment is not valid")
    if now > expires:
        raise Forbidden("this link to an attachment has expired; read the run or example again for a new one")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
