"""Options are checked when they are made, before anything is loaded or computed."""

from __future__ import annotations

import json

import pytest

from neuroai.errors import UnknownName, UsageError
from neuroai.experiment.options import Options, Part, candidate_kind
from neuroai.format.results import NotMeasured


@pytest.mark.parametrize(
    ("option", "value", "error", "message"),
    [
        ("metric", "rdm-speerman", UnknownName, "rdm-spearman"),
        ("metric", "error-consistency", UsageError, "compares no RDMs.*rdm-cosine"),
        ("metric", "rdm-bures", UsageError, "compares whole RDMs.*among: rdm-cosine, rdm-pearson"),
        ("distance", "corelation", UsageError, "correlation"),
        ("lesions", "all", UsageError, "first"),
        ("stimuli", "common", UsageError, "shared"),
        ("n_controls", 99, UsageError, "at least 100 controls; got 99"),
        ("n_bootstrap", 10, UsageError, "at least 50"),
        ("n_null", -1, UsageError, "not negative"),
    ],
)
def test_a_wrong_option_is_told_at_once(option, value, error, message):
    """Every option that cannot serve is refused with what would."""
    with pytest.raises(error, match=message):
        Options(**{option: value})


def test_few_controls_do_not_matter_without_lesions():
    """Where nothing is lesioned, the number of controls is of no account."""
    assert Options(lesions="none", n_controls=0).n_controls == 0


def test_every_option_goes_into_the_provenance():
    """The options are JSON, each under its own name, and make the inference."""
    options = Options(seed=4, n_null=19, layers=("a", "b"))
    written = json.loads(json.dumps(options.as_dict()))
    assert written["seed"] == 4 and written["layers"] == ["a", "b"]
    assert (options.inference.seed, options.inference.n_null) == (4, 19)


def test_parts_add_up():
    """Adding parts keeps everything of both, in order."""
    lines = [NotMeasured("algorithm", "rdm", name, "no") for name in "ab"]
    both = Part(not_measured=(lines[0],), audit=("x",)) + Part(not_measured=(lines[1],))
    assert both.not_measured == tuple(lines) and both.audit == ("x",)


def test_random_weights_are_a_control(network, untrained):
    """A network with random weights is a control and no candidate."""
    assert [candidate_kind(n) for n in (network, untrained)] == ["model", "untrained"]
