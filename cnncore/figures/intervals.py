"""How sure a measured share is: the Wilson score interval.

E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Unlike the usual
p ± 1.96·√(p(1−p)/n) it stays within 0 and 1 and is not of width 0 when everything was right.
"""

from __future__ import annotations

import math

Z_95 = 1.959964
"""Quantile of the normal distribution for 95 %."""


def wilson(correct: int, count: int, z: float = Z_95) -> tuple[float, float]:
    """Lower and upper end of the interval for the share `correct / count`, from 0 to 1; (0, 1) for `count` 0."""
    if count == 0:
        return 0.0, 1.0
    share = correct / count
    center = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)
