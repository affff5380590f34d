"""The radial basis kernel against scipy's distances, and its alignment at the two extremes."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from neuroai.errors import DataError, UsageError
from neuroai.numerics.cka import cka
from neuroai.numerics.cka_rbf import rbf_gram
from neuroai.numerics.gram import centred_gram
from neuroai.testing import EQUAL, STANDARD_ERRORS, readonly

N_INPUTS = 200
# A kernel a hundred times as wide as the distances departs from a plane by (1 / 100) ** 2.
WIDE = 1e-3


def responses(seed, n_stimuli=15, n_units=8):
    """Draw read-only responses with a mean."""
    return readonly(np.random.default_rng(seed).standard_normal((n_stimuli, n_units)) + 3)


def test_the_kernel_is_that_of_scipys_distances():
    """Width, distances and exponential written out, for 200 inputs, from raw or centred Grams."""
    for seed in range(N_INPUTS):
        x = responses(seed, 6 + seed % 9, 1 + seed % 5)
        distances = pdist(x)
        wanted = np.exp(-squareform(distances**2) / (2 * (0.7 * np.median(distances)) ** 2))
        for gram in (x @ x.T, centred_gram(x)):
            np.testing.assert_allclose(rbf_gram(gram, share=0.7), wanted, atol=EQUAL)


def test_copies_of_a_stimulus_do_not_narrow_the_kernel():
    """Distances of 0 stay out of the median: half the pairs may be copies."""
    x = readonly([[0.0], [0.0], [0.0], [2.0]])
    kernel = rbf_gram(x @ x.T)
    assert kernel[0, 1] == 1 and kernel[0, 3] == pytest.approx(np.exp(-0.5))


def test_a_wide_kernel_is_linear():
    """With a large share the alignment is that of the linear kernel."""
    a, b = responses(0), responses(1)
    linear = cka(centred_gram(a), centred_gram(b))[0, 0]
    kernels = [rbf_gram(centred_gram(x), share=100.0) for x in (a, b)]
    assert cka(*kernels)[0, 0] == pytest.approx(linear, abs=WIDE)


def test_independent_responses_align_at_zero():
    """The debiased estimator keeps its expectation of 0 under the kernel."""
    values = [
        cka(*(rbf_gram(centred_gram(responses(2 * s + k, 20, 100))) for k in (0, 1)))[0, 0]
        for s in range(200)
    ]
    assert abs(np.mean(values)) < STANDARD_ERRORS * np.std(values) / np.sqrt(len(values))


def test_a_curved_copy_aligns_better_with_a_narrow_kernel():
    """Points on a line bent into a circle keep their neighbours, which a narrow kernel sees."""
    angle = np.linspace(0, 1.9 * np.pi, 40)
    line, circle = angle[:, None], np.stack([np.cos(angle), np.sin(angle)], axis=1)
    grams = [centred_gram(x) for x in (line, circle)]
    narrow = cka(*(rbf_gram(gram, share=0.1) for gram in grams))[0, 0]
    assert narrow > cka(*grams)[0, 0] + 0.3


def test_wrong_calls_say_what_to_do():
    """A share of 0, a matrix that is not square, and entries that are not finite."""
    with pytest.raises(UsageError, match="share must be above 0; got 0"):
        rbf_gram(np.eye(4), share=0)
    with pytest.raises(UsageError, match=r"stimuli x stimuli; got shape \(2, 3\)"):
        rbf_gram(np.ones((2, 3)))
    with pytest.raises(DataError, match="1 of 4 entries of gram are not finite"):
        rbf_gram(np.array([[np.inf, 0.0], [0.0, 1.0]]))


def test_responses_that_do_not_vary_are_undefined():
    """A dead layer has a kernel of ones, and no alignment."""
    kernel = rbf_gram(np.zeros((6, 6)))
    assert (kernel == 1).all() and np.isnan(cka(kernel, kernel)).all()
