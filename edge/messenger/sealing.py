"""What makes a push readable by one browser only, and shows whose it is: RFC 8291 (aes128gcm) and
RFC 8292 (VAPID).

decisions/002 says why no library does it. No file, no network, no clock.
"""

import json
import secrets
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge.pushing.keys import point, public_bytes, raw, text

RECORD_BYTES = 4096
# A day is the most that a service takes (RFC 8292, 2).
TOKEN_S = 12 * 3600


def seal(
    plain: bytes,
    p256dh: str,
    auth: str,
    *,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """One record that this browser alone can read. `own` and `salt` are new for each; the tests set them.
    NoKey."""
    own = own or ec.generate_private_key(ec.SECP256R1())
    salt = salt or secrets.token_bytes(16)
    theirs = raw(p256dh)
    mine = public_bytes(own)
    shared = own.exchange(ec.ECDH(), point(theirs))
    info = b"WebPush: info\x00" + theirs + mine
    secret = HKDF(hashes.SHA256(), 32, raw(auth), info).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(secret)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(secret)
    # 2 ends the last record (RFC 8188, 2).
    body = AESGCM(key).encrypt(nonce, plain + b"\x02", None)
    return salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(mine)]) + mine + body


def authorization(key: ec.EllipticCurvePrivateKey, origin: str, contact: str, now: datetime) -> str:
    """The header that says whose push it is. `contact` is mailto: or https:, or empty."""
    claims: dict[str, object] = {"aud": origin, "exp": int(now.timestamp()) + TOKEN_S}
    if contact:
        claims["sub"] = contact
    signed = ".".join(text(json.dumps(one).encode()) for one in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={text(public_bytes(key))}"
