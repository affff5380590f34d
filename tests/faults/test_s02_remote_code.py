"""S2: code that comes with a network's folder is never run, and the folder is refused."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from fault_cases import Fault, Outcome, assert_held

from neuroai.errors import NeuroaiError
from neuroai.systems.load import load_model

CLASSES = {
    "AutoConfig": "own.OwnConfig",
    "AutoModel": "own.OwnModel",
    "AutoModelForImageClassification": "own.OwnModel",
    "AutoModelForCausalLM": "own.OwnModel",
    "AutoImageProcessor": "own.OwnProcessor",
    "AutoTokenizer": ["own.OwnTokenizer", None],
    "AutoFeatureExtractor": "own.OwnProcessor",
}
KNOWN = {
    "model_type": "vit", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1,
    "intermediate_size": 8, "image_size": 8, "patch_size": 4,
    "architectures": ["ViTForImageClassification"],
}  # fmt: skip


def _repositories():
    """Give the files of every repository, by name; each brings its own code."""
    own = {"model_type": "own", "architectures": ["OwnModel"]}
    yield "own configuration", {"config.json": {**own, "auto_map": CLASSES}}
    yield (
        "only the configuration",
        {"config.json": {**own, "auto_map": {"AutoConfig": "own.OwnConfig"}}},
    )
    yield "an unknown kind", {"config.json": own}
    yield "code elsewhere", {"config.json": {**own, "auto_map": {"AutoConfig": "a/b--own.Config"}}}
    yield "a known kind, own network", {"config.json": {**KNOWN, "auto_map": CLASSES}}
    yield (
        "a known kind, own processor",
        {
            "config.json": KNOWN,
            "preprocessor_config.json": {
                "image_processor_type": "OwnProcessor",
                "auto_map": {"AutoImageProcessor": "own.OwnProcessor"},
            },
        },
    )
    language = {"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 1, "vocab_size": 9}
    language["architectures"] = ["GPT2LMHeadModel"]
    yield (
        "own tokenizer",
        {
            "config.json": {**language, "auto_map": CLASSES},
            "tokenizer_config.json": {
                "tokenizer_class": "OwnTokenizer",
                "auto_map": {"AutoTokenizer": ["own.OwnTokenizer", None]},
            },
        },
    )
    yield (
        "own code allowed by its own file",
        {"config.json": {**own, "auto_map": CLASSES, "trust_remote_code": True}},
    )
    pipeline = {"own": {"impl": "own.OwnPipeline", "pt": ["AutoModel"]}}
    yield "own pipeline", {"config.json": {**own, "custom_pipelines": pipeline}}
    yield "code above the folder", {"config.json": {**own, "auto_map": {"AutoConfig": "../own.C"}}}


def run(cases, _rng):
    """Load folders that bring code; the code would leave a marker."""
    found = Outcome()
    with tempfile.TemporaryDirectory() as place:
        marker = Path(place) / "executed"
        for name, files in list(_repositories())[:cases]:
            folder = Path(place) / "repository"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file, content in files.items():
                (folder / file).write_text(json.dumps(content))
            for code in (folder / "own.py", Path(place) / "own.py"):
                code.write_text(f"open({str(marker)!r}, 'w').close()\n")
            for target in (f"hf:{folder}", f"hf:{folder}?init=random"):
                said = _loaded(target)
                found.check(not marker.exists(), f"{name}: its code was run")
                marker.unlink(missing_ok=True)
                # Where transformers knows the kind, fresh weights need none of the code.
                harmless = "random" in target and name.startswith("a known kind")
                found.check(said == "refused" or harmless, f"{name}: {said}")
            found.count("repositories")
    return found


def _loaded(target):
    try:
        model = load_model(target)
    except NeuroaiError:
        return "refused"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:200]
    return f"it was loaded as {model.name}"


FAULT = Fault("S2", "code of a repository is never run, and such networks are refused", 10, run)


def test_s2():
    """Ten repositories that bring code."""
    assert_held(FAULT)
