"""The table over networks on one benchmark."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neuroai.errors import DataError, UsageError
from neuroai.format.scores import Score
from neuroai.reports.leaderboard import leaderboard_table


def score(model: str, value: float, kind: str = "model", **more: object) -> Score:
    """Give one score of a benchmark."""
    given = {"benchmark_version": "1", "n_stimuli": 92, "n_brain_subjects": 4, **more}
    return Score(
        "algorithm",
        "rdm",
        "spearman",
        "data",
        "stimuli",
        "IT",
        model,
        "fc",
        kind,
        value=value,
        **given,
    )


@pytest.fixture
def scores() -> list[Score]:
    """Give two networks and three controls, in no order."""
    return [
        score("small", 0.1, ci_low=0.05, ci_high=0.15, p=0.02),
        score("twin", 0.3, "untrained"),
        score("monkey", 0.4, "species"),
        score("large", 0.2, ceiling_low=0.38, ceiling_high=0.66),
        score("person", 0.5, "subject"),
    ]


def test_networks_are_ranked_and_controls_follow(scores) -> None:
    """Networks come by falling score; controls follow under a rule, without a rank."""
    lines = leaderboard_table(scores).splitlines()
    assert lines[0] == "algorithm · rdm · spearman · data · IT"
    assert [line.split()[:2] for line in lines[3:5]] == [["1", "large"], ["2", "small"]]
    assert lines[5].startswith("─")
    assert [line.split()[0] for line in lines[6:]] == ["twin", "person", "monkey"]
    assert "0.380 to 0.660" in lines[3] and "92 × 4" in lines[3]
    assert "0.050 to 0.150" in lines[4] and ".020" in lines[4]


def test_versions_are_never_mixed(scores) -> None:
    """Scores of two benchmark versions are an error that names them."""
    mixed = [*scores, replace(scores[0], benchmark_version="2")]
    with pytest.raises(DataError, match="one benchmark version; got '1', '2'"):
        leaderboard_table(mixed)


def test_no_scores_are_an_error() -> None:
    """An empty leaderboard is refused."""
    with pytest.raises(DataError, match="got none"):
        leaderboard_table([])


def test_form_is_checked(scores) -> None:
    """A misspelt form names the forms there are."""
    with pytest.raises(UsageError, match="'text', 'html'"):
        leaderboard_table(scores, form="htm")


def test_html_is_escaped(scores) -> None:
    """Hostile names stay text in the HTML form."""
    page = leaderboard_table([score("<script>x</script>", 0.9), *scores], form="html")
    assert "<script" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert page.count('<tr class="control">') == 3


def test_layers_give_one_row(scores) -> None:
    """Of several layers the highest stands, and is marked as chosen on the same stimuli."""
    grid = [replace(scores[3], model_region="conv", value=0.15), *scores]
    text = leaderboard_table(grid)
    assert "fc *" in text and "conv" not in text
    assert "* highest of several layers on the same stimuli" in text
