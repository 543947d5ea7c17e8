"""Which addresses a webhook may be sent to: looked up once, all of them checked, then one of them used."""

import ipaddress
import socket
from collections.abc import Callable

from edge.errors import EdgeError

Lookup = Callable[[str, int], list[str]]
# Addresses in which another one is written, which the network may unpack (RFC 6052, 3056, 4380; out of use,
# 4291 and 2765).
_NAT64, _6TO4 = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16")
_TEREDO = ipaddress.ip_network("2001::/32")
_COMPATIBLE, _TRANSLATED = ipaddress.ip_network("::/96"), ipaddress.ip_network("::ffff:0:0:0/96")
# A network's own translator (RFC 8215): Python counts them among the public ones.
_NAT64_INSIDE = ipaddress.ip_network("64:ff9b:1::/48")


class NotAllowed(EdgeError):
    """A name that leads where nothing is sent."""


class NotFoundThere(EdgeError):
    """A name without an address."""


def lookup(host: str, port: int) -> list[str]:
    """Every address of a name. NotFoundThere."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotFoundThere("The name of the receiver has no address.") from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def choose(host: str, port: int, *, private: bool, find: Lookup = lookup) -> list[str]:
    """The addresses to connect to. NotAllowed if one of them, without `private`, is not of the public
    internet: a name that leads to both may lead there the next time."""
    found = find(host, port)
    if not found:
        raise NotFoundThere("The name of the receiver has no address.")
    for one in found:
        if not _allowed(one, private=private):
            raise NotAllowed(
                "The receiver's name leads to a private address; nothing was sent. "
                "If that is meant, set allow_private = true."
            )
    return found


def _allowed(text: str, *, private: bool) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = _unpacked(address)
    if inner is not None:
        return _allowed(str(inner), private=private)
    if address.is_multicast or address.is_unspecified:
        return False
    return private or (address.is_global and not _inside(address))


def _inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """What `is_global` calls public and is not."""
    return isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address in _NAT64_INSIDE)


def _unpacked(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    written = address in _COMPATIBLE and int(address) > 1
    if written or address in _NAT64 or address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _6TO4:
        return address.sixtofour
    if address in _TEREDO and address.teredo is not None:
        return address.teredo[1]
    return None
