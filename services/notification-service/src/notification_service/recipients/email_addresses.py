"""Which e-mail addresses can be written to.

The rules are those of GOV.UK Notify (alphagov/notifications-utils, recipient_validation/email_address.py), checked
against its published vectors.
"""

from __future__ import annotations

import re

_OBSCURE = re.compile("[\u180e\u200b\u200c\u200d\u2060\ufeff\u00a0\u202f]")
_WHOLE = re.compile(r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\-]+@([^.@][^@\s]+)$")
_LABEL = re.compile(r"^(xn|[a-z0-9]+)(-?-[a-z0-9]+)*$", re.IGNORECASE)
_TOP_LEVEL = re.compile(r"^([a-z]{2,63}|xn--([a-z0-9]+-)*[a-z0-9]+)$", re.IGNORECASE)
MAX_LENGTH = 320


def usable_email_address(given: str) -> str | None:
    """The address as a mail server takes it (domain in ASCII), or None when no mail can reach it.

    >>> usable_email_address(" info@müller.example ")
    'info@xn--mller-kva.example'
    """
    address = _OBSCURE.sub("", given).strip()
    match = _WHOLE.match(address)
    if match is None or len(address) > MAX_LENGTH or ".." in address:
        return None
    try:
        domain = match[1].encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = domain.split(".")
    if len(domain) > 253 or len(labels) < 2 or not _TOP_LEVEL.match(labels[-1]):
        return None
    if any(len(label) > 63 or not _LABEL.match(label) for label in labels):
        return None
    return f"{address[: match.start(1)]}{domain}"
