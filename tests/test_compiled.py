"""Compiled programs kept on disk: found again by whoever runs the same, in the folder that the user named."""

from pathlib import Path

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from numerics import keep_compiled, simulate
from numerics.running.compiled import FOLDER, SECONDS
from proofs import cli
from theory import Bernoulli, Loop

LOOP = Loop(Bernoulli("1/4"), samples=9)


@pytest.fixture
def unset(monkeypatch):
    """JAX as it is before anything is kept, and as it was afterwards."""
    before = {name: getattr(jax.config, name) for name in (FOLDER, SECONDS)}
    monkeypatch.delenv(SECONDS.upper(), raising=False)
    jax.config.update(FOLDER, None)
    yield monkeypatch
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture
def events():
    """What JAX says of its cache from here on."""
    said = []

    def listen(event, **_):
        said.append(event.removeprefix("/jax/compilation_cache/"))

    jax.monitoring.register_event_listener(listen)
    yield said
    jax.monitoring.clear_event_listeners()


def test_programs_are_found_again(unset, events, tmp_path):
    """Assert that a run writes its programs, and that where nothing is in memory they are read and none is compiled."""
    keep_compiled(tmp_path / "before")
    jax.jit(lambda x: x + 1)(1.0)
    assert keep_compiled(tmp_path / "kept") == tmp_path / "kept"
    jax.clear_caches()
    first = simulate(LOOP, generations=2, chains=300)
    assert "cache_misses" in events
    assert list((tmp_path / "kept").iterdir())
    events.clear()
    jax.clear_caches()
    assert simulate(LOOP, generations=2, chains=300).identical(first)
    assert "cache_hits" in events
    assert "cache_misses" not in events


def test_the_folder_is_the_users(unset, tmp_path):
    """Assert that JAX's own setting comes first, then the folder of caches, and that others' thresholds stay."""
    unset.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert keep_compiled().parent == tmp_path / "collapse-theory"
    assert getattr(jax.config, SECONDS) == 0.0
    jax.config.update(FOLDER, str(tmp_path / "own"))
    unset.setenv(SECONDS.upper(), "2")
    jax.config.update(SECONDS, 2.0)
    assert keep_compiled() == tmp_path / "own"
    assert getattr(jax.config, SECONDS) == 2.0
    jax.config.update(FOLDER, None)
    unset.delenv("XDG_CACHE_HOME")
    unset.setattr(Path, "home", lambda: tmp_path / "home")
    assert keep_compiled().parent == tmp_path / "home" / ".cache" / "collapse-theory"


def test_a_folder_that_cannot_be_is_one_sentence(unset, tmp_path):
    """Assert that a file in the way is said."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match=r"cannot be made \(.*\)\. Name another folder"):
        keep_compiled(tmp_path / "file" / "below")


def test_commands_keep_what_they_compile(unset, tmp_path):
    """Assert that a command keeps what it compiles, and runs all the same where nothing can be kept."""
    spec = tmp_path / "spec.toml"
    spec.write_text('family = "bernoulli(1/4)"\nsamples = 9\ngenerations = 2\nchains = 300\n')
    unset.setattr("sys.argv", ["collapse", "simulate", str(spec)])
    for cache in (tmp_path / "cache", spec):
        unset.setenv("XDG_CACHE_HOME", str(cache))
        jax.clear_caches()
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == 0
    assert list((tmp_path / "cache").rglob("*run*"))
