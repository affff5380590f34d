"""A first description of a lab's own data, drafted from what was found in its files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from neuroai.checks import listing
from neuroai.errors import UsageError
from neuroai.sources.bids import belongs
from neuroai.sources.finding import Finding
from neuroai.sources.pairing import RUNS, companion, of_kind, same_grid

MOST_CONTRASTS = 4
ANIMALS = {"mus musculus": "mouse", "macaca mulatta": "monkey", "rattus norvegicus": "rat"}
USED = (*RUNS, "eeg", "nwb", "rasters", "form", "behaviour")
FROM_NAME = re.compile(r"[^A-Za-z0-9]+")


def draft(findings: Sequence[Finding], *, folder: Path, name: str) -> str:
    """Draft a description in TOML, with a comment wherever something was chosen.

    Parameters
    ----------
    findings : sequence of Finding
        What `neuroai.sources.recognise.recognise_all` found; nothing in it is wrong.
    folder : pathlib.Path
        Where the description will lie: files inside it are named relative to it.
    name : str
        Name of the data.

    Returns
    -------
    str
        TOML, as `neuroai.sources.description.load_description` takes it.

    Raises
    ------
    UsageError
        Nothing that was found is a recording or behaviour, or a run has no events.
    """
    data = of_kind(findings, *USED)
    if not data:
        kinds = listing(sorted({one.title for f in findings for one in f.flat()}))
        raise UsageError(
            f"There is no recording and no behaviour among these files ({kinds}), so there is "
            "nothing to describe. Give the recordings too."
        )
    parts = _Parts(findings, folder.resolve())
    recordings = list(parts.recordings())
    lines = [
        "# What these files are. Check every line marked with '<-', then compare:",
        "#   neuroai compare THIS_FILE --model hf:FOLDER",
        "",
        f"name = {_text(name)}",
        f"system = {_text(_system(data))}  # <- who was recorded: human, monkey, mouse ...",
        f"species = {_text(_species(data))}",
        "",
        *parts.stimuli(shown=recordings),
        *recordings,
        *parts.behaviour(),
        *parts.contrasts(),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _text(value: str) -> str:
    """Write a text as TOML; names of files may hold anything."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"The name {value!r} is not UTF-8, so no text file can hold it. Rename the file."
        ) from error
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(values: Sequence[str]) -> str:
    return "[" + ", ".join(_text(str(value)) for value in values) + "]"


def _paths(values: Sequence[str]) -> str:
    """One path a line where there are several."""
    if len(values) == 1:
        return _texts(values)
    return "[\n" + "".join(f"  {_text(value)},\n" for value in values) + "]"


def _system(data: Sequence[Finding]) -> str:
    species = _species(data).lower()
    return ANIMALS.get(species, "human" if species in ("", "homo sapiens") else "animal")


def _species(data: Sequence[Finding]) -> str:
    return next((str(d.facts["species"]) for d in data if d.facts.get("species")), "")


def _chosen(candidates: Sequence[Sequence[Any]]) -> tuple[str, str]:
    """Give the first candidate, and a comment that lists all."""
    listed = listing([f"{name} ({n} values)" for name, n in candidates], shown=8)
    comment = json.dumps(f"columns that may say what was shown: {listed}", ensure_ascii=False)[1:-1]
    return str(candidates[0][0]), f"  # <- {comment}"


class _Parts:
    """The sections of a draft, each a list of lines."""

    def __init__(self, findings: Sequence[Finding], folder: Path) -> None:
        self.findings, self.folder = findings, folder
        self.events = of_kind(findings, "events")
        self.paired: list[Finding] = []
        self.tasks_left_out: list[str] = []

    def path(self, path: Path) -> str:
        whole = path.resolve()
        inside = whole.is_relative_to(self.folder)
        return whole.relative_to(self.folder).as_posix() if inside else str(whole)

    def stimuli(self, *, shown: Sequence[str]) -> Iterator[str]:
        images, tables = of_kind(self.findings, "images"), of_kind(self.findings, "stimuli")
        inner = [i.facts["table"] for i in images if i.facts["table"] and not tables]
        yield "[stimuli]"
        if images:
            yield f"folder = {_text(self.path(images[0].path))}  # files, by the stimuli's names"
        else:
            yield '# folder = "stimuli"  # the images or sounds, if a network is to be shown them'
            yield '# text = "word"  # or the column that holds the text a language model is to read'
        if tables:
            facts = tables[0].facts
            yield f"table = {_text(self.path(tables[0].path))}"
            # The table's ids are those of the events where it has a column of the same name.
            same = [c for c in facts["columns"] if f"stimulus_id = {_text(c)}" in "\n".join(shown)]
            yield f"id = {_text((same or [facts['id']])[0])}  # <- of {_comment(facts['columns'])}"
            if facts["file"]:
                yield f"file = {_text(facts['file'])}"
        elif inner:
            yield f"# table = {_text(self.path(Path(inner[0])))}"
        yield ""

    def recordings(self) -> Iterator[str]:
        for runs in self._subjects("bold", "gifti-run"):
            yield from self._fmri(runs)
        for runs in self._subjects("eeg"):
            yield from self._eeg(runs)
        taken: set[str] = set()
        for one in of_kind(self.findings, "nwb"):
            yield from self._nwb(one, taken)
        units = of_kind(self.findings, "rasters")
        if units:
            yield from self._rasters(units)
        for one in of_kind(self.findings, "form"):
            if one.facts["form"] == "recording":
                yield from ("[[recordings]]", 'reader = "form"')
                yield from (f"files = {_texts([self.path(one.path)])}", "")
        if self.tasks_left_out:
            yield f"# Runs of these tasks were left out: {_comment(self.tasks_left_out)}"
            yield ""

    def _subjects(self, *kinds: str) -> list[list[Finding]]:
        """Put the runs of one subject and task together."""
        groups: dict[tuple[str, str], list[Finding]] = {}
        for one in of_kind(self.findings, *kinds):
            entities = one.facts["entities"]
            # Epochs that name nobody are a subject each; runs that name nobody are one subject's.
            unnamed = one.path.name if one.kind == "eeg" else ""
            subject = entities.get("sub", unnamed)
            groups.setdefault((subject, entities.get("task", "")), []).append(one)
        tasks = {task for _, task in groups}
        if len(tasks) > 1:
            counts = {t: sum(len(v) for (_, k), v in groups.items() if k == t) for t in tasks}
            most = max(sorted(tasks), key=lambda task: counts[task])
            groups = {key: runs for key, runs in groups.items() if key[1] == most}
            self.tasks_left_out += sorted(tasks - {most})
        return list(groups.values())

    def _with_events(self, runs: Sequence[Finding], *, needed: bool) -> list[Finding]:
        found = [companion(run, self.events) for run in runs]
        lacking = [r.path.name for r, f in zip(runs, found, strict=True) if f is None]
        if lacking and (needed or len(lacking) < len(runs)):
            raise UsageError(
                f"No events belong to {listing(lacking)}: nothing says what was shown when. Give "
                "its events.tsv too (columns onset and duration in s, and what was shown), with "
                "the run's BIDS entities or number in its name."
            )
        tables = [table for table in found if table is not None]
        self.paired += tables
        return tables

    def _fmri(self, runs: Sequence[Finding]) -> Iterator[str]:
        # The hemispheres of a run share its tables.
        first = [run for run in runs if run.facts["entities"].get("hemi") != "R"] or list(runs)
        tables = self._with_events(first, needed=True)
        column, comment = _chosen(tables[0].facts["candidates"])
        yield from ("[[recordings]]", 'reader = "fmri"')
        yield f"subject = {_text(runs[0].facts['entities'].get('sub', '01'))}"
        yield f"files = {_paths([self.path(run.path) for run in runs])}"
        yield f"events = {_paths([self.path(table.path) for table in tables])}"
        yield f"stimulus_id = {_text(column)}{comment}"
        if any(table.facts["n_missing"] for table in tables):
            yield f'without_stimulus = "drop"  # <- events without {_comment([column])}'
        yield from self._regions(runs)
        yield from self._confounds(first)
        reference = {run.facts.get("slice_time_ref") for run in runs}
        if len(reference) == 1 and (moment := reference.pop()):
            yield f"slice_time_ref = {moment:g}  # as the sidecars state"
        if any(run.facts["tr"] is None for run in runs):
            yield "tr = 2.0  # <- seconds from scan to scan: the header states none"
        if any(run.facts.get("n_not_finite") for run in runs):
            yield 'undefined = "drop"  # voxels with NaN are left out and counted'
        yield 'model = "lss"  # one estimate a trial; "lsa", or "condition" for one a run'
        yield ""

    def _regions(self, runs: Sequence[Finding]) -> Iterator[str]:
        def fitting(kind: str) -> list[Finding]:
            volumes = of_kind(self.findings, kind)
            return [v for v in volumes if runs[0].kind == "bold" and same_grid(v, runs[0])]

        own = runs[0].facts["entities"].get("sub", "")
        masks = [m for m in fitting("mask") if m.facts["entities"].get("sub", own) == own]
        atlases = [a for a in fitting("atlas") if a.facts["entities"].get("sub", own) == own]
        whole = [m for m in masks if m.facts["entities"].get("desc") == "brain"]
        # fMRIPrep writes a brain mask a run: a voxel must lie in all; others are regions.
        brain = [m for m in whole if any(belongs(_named(m), _named(run)) for run in runs)]
        masks = [m for m in masks if m not in whole]
        if atlases:
            yield f"labels = {_text(self.path(atlases[0].path))}"
            known = dict(atlases[0].facts.get("label_names") or {})
            names = {n: known.get(str(n), f"region {n}") for n in atlases[0].facts["labels"]}
            listed = ", ".join(f"{n} = {_text(name)}" for n, name in names.items())
            yield f"{'' if known else '# '}label_names = {{ {listed} }}"
        elif brain and not masks:
            yield f"mask = {_paths([self.path(m.path) for m in brain])}  # voxels in all of them"
            yield '# region = "IT"  # <- the name of what the mask selects'
        elif len(masks) == 1:
            yield f"mask = {_text(self.path(masks[0].path))}"
            yield '# region = "IT"  # <- the name of what the mask selects'
        elif len(masks) > 1:
            files = {_stem(m.path): self.path(m.path) for m in masks}
            named = ", ".join(f"{_text(key)} = {_text(path)}" for key, path in files.items())
            yield f"masks = {{ {named} }}  # <- a region each"
        else:
            yield '# mask = "mask.nii.gz"  # without one every voxel that varies is one region'

    def _confounds(self, runs: Sequence[Finding]) -> Iterator[str]:
        tables = [companion(run, of_kind(self.findings, "confounds")) for run in runs]
        found = [table for table in tables if table is not None]
        if found and len(found) == len(runs) and found[0].facts["columns"]:
            yield f"confounds = {_paths([self.path(table.path) for table in found])}"
            yield f"confound_columns = {_texts(found[0].facts['columns'])}  # <- head movement"

    def _eeg(self, runs: Sequence[Finding]) -> Iterator[str]:
        facts = runs[0].facts
        tables = self._with_events(runs, needed=False) if facts["what"] == "raw" else []
        candidates = tables[0].facts["candidates"] if tables else facts["candidates"]
        if not candidates:
            raise UsageError(
                f"Nothing says what was shown in {runs[0].path.name}. Give a table of its events "
                "(columns onset in s and stimulus_id), or epochs with metadata."
            )
        column, comment = _chosen(candidates)
        subject = facts["entities"].get("sub") or _stem(runs[0].path)
        yield from ("[[recordings]]", 'reader = "eeg"')
        yield f"subject = {_text(subject)}"
        yield f"files = {_paths([self.path(run.path) for run in runs])}"
        if tables:
            yield f"events = {_paths([self.path(table.path) for table in tables])}"
        yield f"stimulus_id = {_text(column)}{comment}"
        if any(table.facts["n_missing"] for table in tables):
            yield f'without_stimulus = "drop"  # <- events without {_comment([column])}'
        if all(run.facts.get("channels_table") for run in runs):
            yield "bids = true  # channels.tsv says which channels are bad, and their types"
        if facts["what"] == "raw":
            yield "tmin = -0.2  # <- the window around each onset, in seconds"
            yield "tmax = 0.8"
            yield "baseline = [-0.2, 0.0]"
        yield "# regions of channels, by name or pattern; without them the channels' types:"
        yield f"# regions = {{ mine = {_comment_list(facts['channels'][:3])} }}"
        yield ""

    def _nwb(self, one: Finding, taken: set[str]) -> Iterator[str]:
        facts = one.facts
        subject = facts["subject"] or _stem(one.path)
        subject = f"{subject}-{_stem(one.path)}" if subject in taken else subject
        taken.add(subject)
        column, comment = _chosen(facts["candidates"])
        yield from ("[[recordings]]", f'reader = "nwb-{facts["what"]}"')
        yield f"subject = {_text(subject)}"
        yield f"files = {_texts([self.path(one.path)])}"
        yield f"interval_table = {_text(facts['table'])}"
        yield f"align = {_text(facts['align'])}  # <- of {_comment(facts['columns'])}"
        yield f"stimulus_id = {_text(column)}{comment}"
        yield f"window = {facts['window']}  # <- seconds around each onset"
        if facts["what"] == "rois":
            yield f"series = {_text(facts['series'][0])}  # <- of {_comment(facts['series'])}"
        region = facts["region"]
        if region and region != "electrodes":
            yield f"region = {_text(region)}  # the column that says where the units lie"
        elif not region:
            yield 'region = "brain"  # <- where all of them lie'
        yield ""

    def _rasters(self, units: Sequence[Finding]) -> Iterator[str]:
        facts = units[0].facts
        column, comment = _chosen(facts["candidates"])
        yield from ("[[recordings]]", 'reader = "rasters"')
        yield 'subject = "01"  # <-'
        yield 'region = "brain"  # <- where all of them lie'
        yield f"files = {_paths([self.path(unit.path) for unit in units])}"
        yield f"stimulus_id = {_text(column)}{comment}"
        yield f"window = {facts['window']}  # <- seconds around the stimulus"
        yield f"zero = {_text(facts['zero'])}  # <- the field that says when it came on"
        if facts["session"]:
            yield f"session = {_text(facts['session'])}"
        yield ""

    def behaviour(self) -> Iterator[str]:
        for number, one in enumerate(of_kind(self.findings, "behaviour"), start=1):
            facts = one.facts
            task = facts["entities"].get("task") or _stem(one.path)
            yield from ("[[behaviour]]", f"files = {_texts([self.path(one.path)])}")
            yield f"task = {_text(task)}"
            if facts["options"]:
                yield f"options = {_texts(facts['options'])}"
            if facts["response_time_unit"] == "ms":
                yield 'response_time_unit = "ms"  # <-'
            if "subject" not in facts["mapping"] and "sub" not in facts["entities"]:
                yield f'subject = "{number:02d}"  # <- who answered'
            yield f"# columns of the file: {_comment(facts['columns'])}"
            yield "[behaviour.columns]"
            for ours, theirs in facts["mapping"].items():
                mark = "  # <-" if ours in ("stimulus_id", "truth") else ""
                yield f"{ours} = {_text(theirs)}{mark}"
            yield ""
            if facts["options"] and "truth" in facts["mapping"]:
                yield from ("[[tasks]]", f"name = {_text(task)}")
                yield f"options = {_texts(facts['options'])}"
                yield 'truth = "truth"  # <- the column of the stimuli that holds the right option'
                yield ""

    def contrasts(self) -> Iterator[str]:
        sources = [*self.paired, *of_kind(self.findings, "stimuli", "eeg", "nwb")]
        groups = next((one.facts["groups"] for one in sources if one.facts.get("groups")), {})
        if not groups:
            yield "# [contrasts.faces]  # two groups of stimuli, for a localiser"
            yield '# column = "category"'
            yield '# positive = ["face"]'
            return
        column, values = next(iter(groups.items()))
        wanted = values[:1] if len(values) == 2 else values[:MOST_CONTRASTS]
        yield f"# <- two groups of stimuli each, of the columns {_comment(list(groups))}"
        for value in wanted:
            others = [other for other in values if other != value]
            yield f"[contrasts.{_text(value)}]"
            yield f"column = {_text(column)}"
            yield f"positive = {_texts([value])}"
            yield f"negative = {_texts(others)}"
            yield ""


def _named(finding: Finding) -> dict[str, str]:
    return dict(finding.facts["entities"])


def _comment(names: Sequence[str]) -> str:
    """Names in a comment: no line may end in the middle."""
    return json.dumps(listing(names, shown=12), ensure_ascii=False)[1:-1].replace("\x7f", "?")


def _comment_list(names: Sequence[str]) -> str:
    return "[" + ", ".join(json.dumps(str(name), ensure_ascii=False) for name in names) + "]"


def _stem(path: Path) -> str:
    """Give a plain name made of a file's.

    >>> _stem(Path("my rat.nwb"))
    'my-rat'
    """
    return FROM_NAME.sub("-", path.name.split(".")[0]).strip("-") or "data"
