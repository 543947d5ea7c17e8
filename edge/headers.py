"""The headers of every answer, of pages, files, the API and the vault: what a browser must not do with it.

Trusted Types are not asked for: htmx puts the parts of a page in place as text, and a policy that lets all
text through would say more than it does. Scripts come from files of this server alone.
"""

from collections.abc import Mapping
from typing import Literal

Frames = Literal["none", "self"]
_YEAR_S = 365 * 24 * 3600
_NEEDS = (
    "camera", "microphone", "geolocation", "display-capture", "usb", "serial", "hid", "midi",
    "payment", "accelerometer", "gyroscope", "magnetometer",
)  # fmt: skip
# The same everywhere, whatever is answered.
ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(f"{one}=()" for one in _NEEDS),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
NO_STORE = "no-store"
# Of what is no page: nothing is loaded, run, sent or framed from it.
BARE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page_policy(frames: Frames, *, media: bool = False) -> str:
    """The Content-Security-Policy of a page; `media`: it plays a clip of this server."""
    own = ("script", "style", "connect", "font", "manifest", "worker")
    return "; ".join(
        (
            "default-src 'none'",
            *(f"{one}-src 'self'" for one in own),
            # The QR code of a second factor stands in the page itself: nobody else can ask for it.
            "img-src 'self' data:",
            "media-src 'self'" if media else "media-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors '{frames}'",
        )
    )


def of_page(frames: Frames, *, media: bool, secure: bool) -> dict[str, str]:
    """`secure`: browsers come over TLS and shall come no other way (RFC 6797)."""
    return {
        **ALWAYS,
        "Content-Security-Policy": page_policy(frames, media=media),
        "X-Frame-Options": "DENY" if frames == "none" else "SAMEORIGIN",
        **({"Strict-Transport-Security": f"max-age={_YEAR_S}"} if secure else {}),
    }


def bare() -> dict[str, str]:
    """Of an answer that is no page, kept by nobody."""
    return {
        **ALWAYS,
        "Content-Security-Policy": BARE_POLICY,
        "X-Frame-Options": "DENY",
        "Cache-Control": NO_STORE,
    }
