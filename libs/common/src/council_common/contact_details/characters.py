"""Characters that nobody sees: copied out of web pages and spreadsheets, they part words and hide addresses."""

from __future__ import annotations

import re

# Of no width, of writing direction, of joining and variation, fillers, tags, and the soft hyphen: Unicode's
# Default_Ignorable_Code_Point, and the anchors of interlinear notes.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# What a program takes for the end of a line and a person for a space, and spaces of other widths.
_SPACE_LIKE = re.compile("[\x0b\x0c\x1c-\x1f\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")


def without_invisible(text: str) -> str:
    r"""Text as it reads: without characters that nobody sees.

    >>> without_invisible("Ma\u00adry\u200b Ames\ufeff")
    'Mary Ames'
    """
    return _INVISIBLE.sub("", text)


def visible_words(text: str) -> str:
    r"""Words in one line: invisible characters gone, every space and odd end of a line a plain space. Not "\n".

    >>> visible_words(" Mary\u2028Ames ")
    'Mary Ames'
    """
    return re.sub(" {2,}", " ", _SPACE_LIKE.sub(" ", without_invisible(text))).strip()


def plain_lines(text: str) -> str:
    r"""Text of lines, each ended by "\n" and by nothing else: as it is kept, hashed and sent, to the letter.

    >>> plain_lines("a\r\nb\u2028c\rd")
    'a\nb c\nd'
    """
    return _SPACE_LIKE.sub(" ", without_invisible(text.replace("\r\n", "\n").replace("\r", "\n")))
