"""The few places of aider's that this package touches; a test here fails when aider changes them."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from aider import models
from aider.coders import Coder
from aider.io import InputOutput

import aider_stackspot
from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.hosts.aider.answers import problem_of
from aider_stackspot.hosts.aider.models import on_import
from aider_stackspot.pipeline import warm_up

NAMES = ["stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code", "stackspot/stackspot-ai-code"]


@pytest.mark.parametrize("name", NAMES)
def test_the_limits_are_in_aiders_local_metadata(name: str) -> None:
    metadata = models.model_info_manager.local_model_metadata[name]
    assert (metadata["max_input_tokens"], metadata["max_output_tokens"]) == (16384, 8192)


def test_local_metadata_keeps_aider_from_asking_the_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.ModelInfoManager, "_update_cache", lambda self: pytest.fail("asked the internet"))
    assert models.Model("stackspot-ai-code").info["max_input_tokens"] == 16384


@pytest.mark.parametrize("name", NAMES)
def test_the_settings_are_aiders_own_kind(name: str) -> None:
    settings = next(one for one in models.MODEL_SETTINGS if one.name == name)
    assert isinstance(settings, models.ModelSettings)
    assert (settings.edit_format, settings.use_repo_map, settings.streaming) == ("diff", True, True)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_its_own_weak_and_editor_model(name: str) -> None:
    model = models.Model(name)
    assert model.weak_model is model
    assert model.editor_model is model
    assert model.editor_edit_format == "editor-diff"


def test_settings_that_are_there_already_are_kept() -> None:
    before = list(models.MODEL_SETTINGS)
    on_import(models)
    assert before == models.MODEL_SETTINGS


def test_missing_variables_reach_aider() -> None:
    assert models.Model("stackspot-ai-code").missing_keys == ["STACKSPOTAI_CLIENT_ID", "STACKSPOTAI_CLIENT_KEY"]


def test_the_import_of_aiders_models_does_not_wait_for_litellm(isolated: Path) -> None:
    """It is loaded later, while the user reads; what is known of the models has to be there before."""
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        "providers:\n  openai:\n    type: stackspot\n    models: {reviewer: {}}\n  lab:\n    api_base: http://127.0.0.1:9/v1\n"
    )
    code = (
        "import sys, aider.models as aider\n"
        "print('litellm' in sys.modules, 'openai/reviewer' in aider.model_info_manager.local_model_metadata)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["False", "True"], "")


def test_a_projects_server_takes_no_vendors_name_from_aider(isolated: Path) -> None:
    names = "openai: {base_url: 'http://10.1.2.3/v1'}, lab: {base_url: 'http://10.1.2.4/v1'}"
    (isolated / ".aider.litellm.yml").write_text(f"providers: {{{names}}}", encoding="utf-8")
    aider_stackspot.register()
    assert problem_of("openai/gpt-4o") is None
    assert "the provider `lab`" in str(problem_of("lab/m"))


def test_a_chosen_model_gets_its_tokenizer_in_the_background(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr("aider_stackspot.hosts.litellm.reply.load_tokenizer", loaded.put)
    monkeypatch.setattr(warm_up, "_last", {})
    for _ in range(3):
        models.Model("stackspot-ai-code")
    assert loaded.get(timeout=10) == "stackspot-ai-code"
    assert loaded.empty()


def test_the_end_of_aider_waits_for_the_tokenizer(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python stops daemon threads wherever they are: in native code that aborts the process."""
    going_on = threading.Event()
    monkeypatch.setattr("aider_stackspot.hosts.litellm.reply.load_tokenizer", lambda _: going_on.wait(60))
    monkeypatch.setattr(warm_up, "_last", {})
    models.Model("stackspot-ai-code")
    try:
        assert [thread.daemon for thread in threading.enumerate() if thread.name == "warm-up"] == [False]
    finally:
        going_on.set()


@pytest.mark.slow
def test_an_error_that_comes_again_is_whole_again_when_aider_gives_up(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.fail("any chat", Fault.status(503), times=None)
    monkeypatch.setattr("aider.coders.base_coder.RETRY_TIMEOUT", 0.6)
    coder = Coder.create(models.Model("stackspot-ai-code"), io=InputOutput(pretty=False, yes=True), use_git=False)
    for _ in range(2):
        coder.run(with_message="Say hi")
        shown = capsys.readouterr().out
        first, again, last = re.split(r"Retrying in [0-9.]+ seconds\.\.\.", shown)
        assert "StackSpot answered 503" in first
        assert again.strip() == "The same error again."
        assert "StackSpot answered 503" in last


TWO_THREADS = """
import sys, threading, time
import aider.models
from aider_stackspot.hosts.aider import models

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "litellm":
            loading.set()
            time.sleep(1)

def warm_up():
    loading.wait()
    models._load_tokenizer("stackspot-ai")

loading = threading.Event()
thread = threading.Thread(target=warm_up)
thread.start()
sys.meta_path.insert(0, Slow())
import litellm
thread.join(60)
print(thread.is_alive(), litellm.get_model_info("stackspot-ai")["max_input_tokens"])
"""


@pytest.mark.slow
def test_two_threads_that_load_litellm_do_not_wait_for_each_other() -> None:
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run([sys.executable, "-c", TWO_THREADS], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False 16384\n", "")
