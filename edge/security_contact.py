"""[security_contact] in edge.toml: whom somebody tells who has found a weakness (RFC 9116). Pure.

Nothing of it is made up: without the section there is no security.txt. It ends a year after somebody last
saw to it that the contacts are right; from then on there is none either.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from msgspec import Meta, Struct

# RFC 9116, 2.5.5: recommended is less than a year into the future.
GOOD_FOR = timedelta(days=364)
Address = Annotated[str, Meta(min_length=4, max_length=300)]
Tag = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]


class SecurityContact(Struct, frozen=True, forbid_unknown_fields=True):
    """`contact`, the preferred first, as mailto:, https: or tel:; `checked_on` is when somebody last saw that
    they are right. `policy` says how reports are dealt with, `canonical` where this file is found."""

    contact: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=10)]
    checked_on: date
    languages: Annotated[tuple[Tag, ...], Meta(max_length=10)] = ()
    policy: Address | None = None
    canonical: Address | None = None

    def fault(self) -> str | None:
        """What is wrong, and what is allowed."""
        for one in self.contact:
            if not _plain(one) or not one.startswith(("mailto:", "https://", "tel:")):
                return (
                    f"security_contact.contact is {one[:60]!r}; allowed is an address as in "
                    "mailto:security@shop.example, https://shop.example/report or tel:+34-1-555-0100."
                )
        for name, address in (("policy", self.policy), ("canonical", self.canonical)):
            if address is not None and not (_plain(address) and address.startswith("https://")):
                return f"security_contact.{name} is {address[:60]!r}; allowed is an address with https://."
        return None

    @property
    def expires_at(self) -> datetime:
        return datetime.combine(self.checked_on, time(), UTC) + GOOD_FOR

    def text(self, now: datetime) -> str | None:
        """security.txt; None once nobody knows whether it is still right."""
        if now >= self.expires_at:
            return None
        lines = [f"Contact: {one}" for one in self.contact]
        lines.append(f"Expires: {self.expires_at:%Y-%m-%dT%H:%M:%SZ}")
        lines += [f"Preferred-Languages: {', '.join(self.languages)}"] if self.languages else []
        lines += [f"Policy: {self.policy}"] if self.policy else []
        lines += [f"Canonical: {self.canonical}"] if self.canonical else []
        return "\n".join(lines) + "\n"


def _plain(address: str) -> bool:
    return address.isascii() and address.isprintable() and " " not in address
