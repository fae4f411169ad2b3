"""Which e-mail addresses can be written to: the same when one is taken down as when it is written to.

The rules are those of GOV.UK Notify (alphagov/notifications-utils, recipient_validation/email_address.py), checked
against its published vectors, with the lengths and the dots of RFC 5321.
"""

from __future__ import annotations

import re
import unicodedata

from council_common.contact_details.characters import without_invisible

_ODD_SPACE = re.compile("[\u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
# Dots of other widths, which a program reads as plain ones.
_ODD_DOT = re.compile("[\u3002\uff0e\uff61]")
_WHOLE = re.compile(r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\-]+@([^.@][^@\s]+)$")
_LABEL = re.compile(r"^(xn|[a-z0-9]+)(-?-[a-z0-9]+)*$", re.IGNORECASE)
_TOP_LEVEL = re.compile(r"^([a-z]{2,63}|xn--([a-z0-9]+-)*[a-z0-9]+)$", re.IGNORECASE)
_LONGEST, _LONGEST_LOCAL_PART = 254, 64


def email_address(written: str) -> str:
    """The address as its owner writes it. Raises ValueError for one that no mail can reach.

    >>> email_address(" info@müller.example ")
    'info@müller.example'
    """
    if usable_email_address(written) is None:
        raise ValueError("not an e-mail address; expected name@domain")
    return _cleaned(written)


def usable_email_address(given: str) -> str | None:
    """The address as a mail server takes it (domain in ASCII), or None when no mail can reach it.

    >>> usable_email_address(" info@müller.example ")
    'info@xn--mller-kva.example'
    """
    address = _cleaned(given)
    match = _WHOLE.match(address)
    local_part = address.rpartition("@")[0]
    if match is None or len(address) > _LONGEST or len(local_part) > _LONGEST_LOCAL_PART:
        return None
    domain = _ascii_domain(match[1])
    if domain is None or ".." in address or local_part != local_part.strip("."):
        return None
    labels = domain.split(".")
    if len(domain) > 253 or len(labels) < 2 or not _TOP_LEVEL.match(labels[-1]):
        return None
    if any(len(label) > 63 or not _LABEL.match(label) for label in labels):
        return None
    return f"{address[: match.start(1)]}{domain}"


def _ascii_domain(domain: str) -> str | None:
    """A domain in ASCII, of letters as they were written and of names that are some."""
    if _ODD_DOT.search(domain) or unicodedata.normalize("NFKC", domain) != domain:
        return None
    try:
        plain = domain.encode("idna").decode("ascii")
        plain.encode("ascii").decode("idna")  # what begins with xn-- must be the name of something
    except UnicodeError:
        return None
    return plain


def _cleaned(written: str) -> str:
    return _ODD_SPACE.sub("", without_invisible(written)).strip()
