"""Numbers as people read them, and texts from outside as they are."""

from __future__ import annotations

import re


def compact(number: float) -> str:
    """A count in at most three significant digits from a million on: 431,080, 2.29 M, 14.2 G."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:,.0f}"


def bytes_text(num_bytes: float) -> str:
    """A size on disk or in memory: 480 kB, 11.6 MB, 3.2 GB."""
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if num_bytes >= size:
            value = num_bytes / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return f"{num_bytes:.0f} B"


def duration_text(seconds: float) -> str:
    """About how long: 8 s, 3 min, 2 h 10 min."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 10 and minutes else f"{hours:,} h"


def share_text(share: float) -> str:
    """A probability as percent, never rounded to certainty or to nothing: 12.3 %, < 0.1 %, > 99.9 %."""
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"


def threads_text(number: int) -> str:
    """On how much of a processor something was computed: 1 thread, 2 threads."""
    return f"{number} thread" if number == 1 else f"{number} threads"


def plain(text: str) -> str:
    """A text from outside as Streamlit's labels show it literally, without reading Markdown in it."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-!$:~|])", r"\\\1", text)
