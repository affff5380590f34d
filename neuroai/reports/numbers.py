"""How numbers are printed in tables and sentences."""

from __future__ import annotations

import math

from neuroai.format.scores import Score

DIGITS = 3
MINUS = "\u2212"


def number(value: float, *, digits: int = DIGITS) -> str:
    """Print a number, and nothing where there is none.

    Examples
    --------
    >>> number(0.2224), number(float("nan")), number(-1.5, digits=1)
    ('0.222', '', '−1.5')
    """
    if not math.isfinite(value):
        return ""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        return text.removeprefix("-")
    return text.replace("-", MINUS)


def span(low: float, high: float, *, digits: int = DIGITS) -> str:
    """Print an interval, and nothing where there is none.

    Examples
    --------
    >>> span(0.1, 0.25), span(float("nan"), 1.0)
    ('0.100 to 0.250', '')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{number(low, digits=digits)} to {number(high, digits=digits)}"


def probability(p: float) -> str:
    """Print a p-value without its leading zero, never as zero.

    Examples
    --------
    >>> probability(0.0321), probability(0.00001), probability(float("nan")), probability(1.0)
    ('.032', '< .001', '', '1')
    """
    if not math.isfinite(p):
        return ""
    if p < 0.001:
        return "< .001"
    if p > 0.9995:
        return "1"
    return f"{p:.3f}".removeprefix("0")


def outcome(score: Score) -> str:
    """Print the value of a score, or in words why it has none.

    Examples
    --------
    >>> s = Score("algorithm", "rdm", "spearman", "d", "s", "IT", "net", "fc",
    ...           status="not_measurable", note="no recordings")
    >>> outcome(s)
    'not measurable: no recordings'
    """
    if score.status == "ok":
        return number(score.value)
    return f"{status_words(score)}: {score.note}"


def status_words(score: Score) -> str:
    """Give the status in words: ``ok``, ``undefined`` or ``not measurable``."""
    return score.status.replace("_", " ")


def counted(n: int, noun: str) -> str:
    """Print a count with its noun.

    Examples
    --------
    >>> counted(1, "subject"), counted(92, "stimulus")
    ('1 subject', '92 stimuli')
    """
    if n == 1:
        return f"1 {noun}"
    plural = "stimuli" if noun == "stimulus" else f"{noun}s"
    return f"{n} {plural}"
