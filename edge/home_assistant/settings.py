"""[home_assistant] in edge.toml: the MQTT broker of the shop's Home Assistant. Pure."""

import re
from typing import Annotated

from msgspec import Meta, Struct

Words = Annotated[str, Meta(min_length=1, max_length=200)]
_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


class HomeAssistant(Struct, frozen=True, forbid_unknown_fields=True):
    """Without this section nothing is told.

    `password_file`, beside edge.toml and readable by its owner alone, holds the password in one line;
    `certificate`, beside edge.toml too, is the only CA that counts for that broker. `tls = false` sends the
    password for anybody on that network to read. `prefix` is the discovery prefix set in Home Assistant.
    """

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    tls: bool = True
    certificate: Words | None = None
    username: Words | None = None
    password_file: Words | None = None
    prefix: Annotated[str, Meta(min_length=1, max_length=80)] = "homeassistant"

    def fault(self) -> str | None:
        """What is wrong, and what is allowed."""
        if not _PREFIX.fullmatch(self.prefix):
            return (
                f"home_assistant.prefix is {self.prefix!r}; allowed are letters, digits, - and _, "
                "in parts with / between them."
            )
        if (self.username is None) != (self.password_file is None):
            missing = "password_file" if self.password_file is None else "username"
            return f"home_assistant.{missing} is missing; username and password_file are given together."
        if self.certificate is not None and not self.tls:
            return "home_assistant.certificate counts only with TLS; remove it, or tls = false."
        return None
