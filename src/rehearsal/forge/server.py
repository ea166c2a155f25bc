"""An HTTPS server on a free port of the loopback address, in a thread."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import trustme
import uvicorn
from fastapi import FastAPI

LONGEST_START = 30.0


def reserve_port() -> socket.socket:
    """Return a socket that is bound to a free port."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    return bound


def make_certificate(folder: Path) -> None:
    """Write a certificate for localhost, and the authority that vouches for it, as PEM files."""
    authority = trustme.CA(organization_name="rehearsal")
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    (folder / "server.pem").chmod(0o600)


@contextmanager
def serve(app: FastAPI, bound: socket.socket, certificate: Path) -> Iterator[None]:
    """Serve an application until the end of the block."""
    config = uvicorn.Config(app, ssl_certfile=certificate, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [bound]}, name="forge", daemon=True)
    thread.start()
    try:
        _await_start(server, thread)
        yield
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def _await_start(server: uvicorn.Server, thread: Thread) -> None:
    end = monotonic() + LONGEST_START
    while not server.started:
        if not thread.is_alive() or monotonic() > end:
            raise RuntimeError("The forge's server did not start.")
        sleep(0.005)
