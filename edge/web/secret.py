"""Keys of the web program, made at the first start and kept beside edge.toml: one signs forms and phone
cookies, another seals second factors."""

import os
import re
import secrets
from pathlib import Path

from edge import secret_files
from edge.errors import StorageError

NAME = "web.secret"
_KEY = re.compile("[0-9a-f]{64}")


def secret_key(directory: Path, name: str = NAME) -> str:
    """64 hexadecimal digits: the key `name` in `directory`, made if there is none. StorageError if it cannot
    be kept secret there."""
    path = directory / name
    try:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32))
        secret_files.check(path, StorageError)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"The key {path} cannot be read or made: {error}.") from None
    if not _KEY.fullmatch(key):
        raise StorageError(
            f"The key {path} is damaged; put back the right one, or delete it and start again."
        )
    return key
