"""Which network addresses a crawler may connect to. Pure.

A page that anybody can write must not send the crawler to a machine that only the crawler can reach: a database, an
admin page, or the address that hands out the credentials of the role.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

# Translated to IPv4 on the way: https://www.rfc-editor.org/rfc/rfc6052#section-2.1
_NAT64 = IPv6Network("64:ff9b::/96")
_NEVER = (
    # Instance metadata and credentials: link-local in IPv4; of EC2, in IPv6.
    ip_network("169.254.0.0/16"),
    ip_network("fe80::/10"),
    ip_network("fd00:ec2::/32"),
)


def objection(text: str, *, allow_private: bool) -> str | None:
    """Why an address must not be connected to, such as ``is a private address``; None when it may be."""
    for address in _meant(ip_address(text.partition("%")[0])):
        if any(address in network for network in _NEVER if network.version == address.version):
            return "is a link-local or metadata address"
        if address.is_multicast or address.is_unspecified:
            return "is no address of one machine"
        if not allow_private and _is_private(address):
            return "is not a public address; allow_private: true permits the machines of a private network"
    return None


def _is_private(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.is_site_local:
        return True
    return not address.is_global or address.is_reserved


def _meant(address: Address) -> Iterator[Address]:
    """An address, and the IPv4 address that a way into IPv4 makes of it."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped or address in _NAT64:  # nothing but another spelling
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    else:
        yield address
        if address.sixtofour:
            yield address.sixtofour
