"""HTML files that open without a network and may do nothing but show themselves."""

from __future__ import annotations

import base64
import hashlib


def policy(style: str, script: str, images: str = "'none'") -> str:
    """Returns a content security policy that allows this style and script alone.

    `images` says where pictures may come from, such as `data:`.
    """
    return (
        f"default-src 'none'; style-src {_hashed(style)}; "
        f"script-src {_hashed(script)}; img-src {images}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
