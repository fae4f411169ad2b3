"""The issuer's key, the machine clients' secrets, the passwords of the parts: made on first start, for their owner."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ALGORITHM = "ES256"
SERVICES = ("supplier", "invoice", "rebate", "debt", "notification")
# Machine client -> its roles; the names are those of the services' CLIENT_ID.
MACHINES = {
    **{f"{name}-service": ["service"] for name in SERVICES},
    "invoice-service": ["service", "supplier_registrar"],
    "erp": ["erp"],
}


@dataclass(frozen=True)
class SigningKey:
    """An ES256 key pair and the id under which the public half is published."""

    private: ec.EllipticCurvePrivateKey

    @property
    def public_jwk(self) -> dict[str, Any]:
        jwk: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.key_id, "use": "sig", "alg": ALGORITHM}

    @property
    def key_id(self) -> str:
        """The thumbprint of RFC 7638: the same key always has the same id."""
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        canonical = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")


@dataclass(frozen=True)
class MachineClient:
    """A system that signs in with a secret of its own."""

    client_id: str
    secret: str
    roles: tuple[str, ...]


def signing_key(folder: Path) -> SigningKey:
    """The platform's key; the first caller makes it."""
    path = folder / "signing-key.pem"
    if not path.exists():
        private = ec.generate_private_key(ec.SECP256R1())
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        write_secret(path, private.private_bytes(encoding, form, serialization.NoEncryption()))
    loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} is not an elliptic-curve key; delete it to have a new one made")
    return SigningKey(loaded)


def machine_clients(folder: Path) -> dict[str, MachineClient]:
    """The machine clients by id; secrets are made for those that have none yet, roles are always those of MACHINES."""
    path = folder / "clients.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in MACHINES if name not in known]
    for name in missing:
        known[name] = {"secret": secrets.token_urlsafe(32)}
    if missing:
        write_secret(path, json.dumps(known, indent=2).encode())
    return {name: MachineClient(name, known[name]["secret"], tuple(roles)) for name, roles in MACHINES.items()}


def secret_in(path: Path) -> str:
    """The secret a file holds, as a client shows it to PostgreSQL or the mail sink; the first caller makes it."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32).encode())
    return path.read_text()


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, at once and whole."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
