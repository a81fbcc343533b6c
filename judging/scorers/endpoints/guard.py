"""Which addresses an endpoint may have: a URL that somebody typed in must not reach what only this machine can."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import httpcore
import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Not for the public, or gone from use, whatever `ipaddress` of some version says (IANA special-purpose registries).
RESERVED = [
    ipaddress.ip_network(network)
    for network in (
        *("192.0.0.0/24", "192.88.99.0/24", "::/96", "::ffff:0:0/96", "64:ff9b:1::/48", "fec0::/10"),
        *("3fff::/20", "5f00::/16"),
    )
]


class RefusedError(ValueError):
    """An address that may not be called."""


def check_url(url: str) -> None:
    """Refuse what is no plain http or https URL.

    Parameters
    ----------
    url : str

    Raises
    ------
    RefusedError
        If the scheme is another, the host is missing, or the URL carries a name, password, query or fragment:
        URLs are stored and shown, so nothing secret belongs in them.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedError(f"{url!r} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise RefusedError(f"expected a URL that begins with http:// or https://, found {url!r}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise RefusedError("a URL holds no user, password, query or fragment; keys come from the environment")


def permitted(address: Address, host: str, allowed: Iterable[str]) -> bool:
    """Whether an address may be called.

    Parameters
    ----------
    address : IPv4Address or IPv6Address
        What the host's name stands for now.
    host : str
        The name that was asked for.
    allowed : iterable of str
        Hosts, addresses and networks that may be called although they are not public.

    Returns
    -------
    bool
        True for a public unicast address, or an allowed one. Addresses that wrap an IPv4 address (mapped, 6to4,
        NAT64) are taken for it; a mapped one has to be allowed, since no public server has one.
    """
    plain = _unwrapped(address)
    if (
        plain.is_global
        and not plain.is_multicast
        and not any(a in n for a in (address, plain) for n in RESERVED)
    ):
        return True
    return any(_covers(entry, plain, host) for entry in allowed)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _covers(entry: str, address: Address, host: str) -> bool:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return entry.lower() == host.lower()
    return address.version == network.version and address in network


class _GuardedNetwork(httpcore.NetworkBackend):
    """Looks a name up, judges what it stands for, and calls exactly that: no second look-up can change it."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = tuple(allowed)
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        addresses = [str(entry[4][0]).partition("%")[0] for entry in resolved]
        for address in addresses:
            if not permitted(ipaddress.ip_address(address), host, self._allowed):
                raise RefusedError(
                    f"{host} is at {address}, which is not public; ENDPOINTS_ALLOWED can allow it"
                )
        return self._network.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class GuardedTransport(httpx.HTTPTransport):
    """HTTP over addresses that may be called. Proxies of the environment are not used: they would go round it."""

    def __init__(self, allowed: Sequence[str], connections: int) -> None:
        super().__init__(trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=connections,
            network_backend=_GuardedNetwork(allowed),
        )
