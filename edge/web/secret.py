"""The key that signs forms and phone cookies: made at the first start and kept beside edge.toml."""

import os
import secrets
from pathlib import Path

from edge.errors import StorageError

NAME = "web.secret"


def secret_key(directory: Path) -> str:
    """The key in `directory`, made if there is none. StorageError if it cannot be kept secret there."""
    path = directory / NAME
    try:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32))
        if path.stat().st_mode & 0o077:
            raise StorageError(f"{path} can be read by others; run 'chmod 600 {path}' or delete it.")
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"The web key {path} cannot be read or made: {error}.") from None
    if len(key) < 64:
        raise StorageError(f"The web key {path} is damaged; delete it and start again.")
    return key
