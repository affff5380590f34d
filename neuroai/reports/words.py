"""How systems, metrics and questions are called on pages."""

from __future__ import annotations

from types import MappingProxyType

from neuroai.reports.selection import kind_words

METRICS = MappingProxyType(
    {
        "rdm-spearman": "RDM match (Spearman)",
        "rdm-pearson": "RDM match (Pearson)",
        "rdm-cosine": "RDM match (cosine)",
        "rdm-rho-a": "RDM match (rho-a)",
        "rdm-tau-a": "RDM match (tau-a)",
        "rdm-bures": "RDM match (Bures)",
        "rdm-whitened-cosine": "RDM match (whitened cosine)",
        "rdm-whitened-pearson": "RDM match (whitened Pearson)",
        "cka-debiased": "CKA (debiased)",
        "cka-biased": "CKA (biased)",
        "cka-rbf": "CKA (radial basis kernel)",
        "cka-minibatch": "CKA (over minibatches)",
        "procrustes": "Procrustes similarity",
        "procrustes-held-out": "Procrustes similarity (held-out stimuli)",
        "nbs": "normalised Bures similarity",
        "shape-angular": "shape distance (angle)",
        "shape-euclidean": "shape distance (at unit size)",
        "permutation-matching": "units matched one to one",
        "semi-matching": "units matched to their best",
        "soft-matching": "units matched in shares",
        "cca": "canonical correlation (CCA)",
        "svcca": "canonical correlation (SVCCA)",
        "pwcca": "canonical correlation (PWCCA)",
        "encoding-r": "encoding (r of held-out responses)",
        "encoding-r-of-model": "encoding of the network (r of held-out units)",
        "encoding-pls-r": "encoding by PLS (r of held-out responses)",
        "encoding-pls-r-of-model": "encoding of the network by PLS (r of held-out units)",
        "unit-matching-r": "one-to-one matching (r of held-out responses)",
        "unit-matching-r-of-model": "one-to-one matching of the network (r of held-out units)",
        "error-consistency": "error consistency (Cohen’s κ)",
        "confusion-correlation": "correlation of mistakes",
        "accuracy-difference": "difference of accuracy (network − brain)",
        "shape-bias-difference": "difference of shape bias (network − brain)",
        "signature-correlation": "correlation over stimuli",
        "signature-correlation-corrected": "correlation over images, freed from trial noise",
        "order-of-acquisition": "order of acquisition (Kendall)",
        "transition-divergence": "divergence of transitions (0: alike)",
        "odd-one-out-agreement": "agreement on the odd one out",
    }
)


def metric_words(name: str) -> str:
    """Give a metric in words, and its own name where it has none.

    Examples
    --------
    >>> metric_words("rdm-spearman"), metric_words("mine")
    ('RDM match (Spearman)', 'mine')
    """
    return METRICS.get(name, name)


def question_words(analysis: str) -> str:
    """Give the question of an analysis with its task in words.

    Examples
    --------
    >>> question_words("accuracy: digit"), question_words("shape_bias: cue-conflict")
    ('accuracy on digit', 'shape bias on cue-conflict')
    >>> question_words("rdm")
    'RDM'
    """
    question, _, task = analysis.partition(": ")
    words = {"rdm": "RDM", "score_of_mean_rdm": "score of the mean RDM"}
    told = words.get(question, question.replace("_", " "))
    return f"{told} on {task}" if task else told


def candidate_words(model: str, kind: str) -> str:
    """Name a candidate with its kind, unless it is a network or its name says the kind.

    Examples
    --------
    >>> candidate_words("net", "model"), candidate_words("net (untrained)", "untrained")
    ('net', 'net (untrained)')
    >>> candidate_words("another human subject", "subject"), candidate_words("V1", "confound")
    ('another human subject', 'V1 (simple explanation)')
    """
    said = kind in ("model", "subject") or kind in model
    return model if said else f"{model} ({kind_words(kind)})"


def joined(names: list[str]) -> str:
    """Join names as a sentence does.

    Examples
    --------
    >>> joined(["a"]), joined(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
