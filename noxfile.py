"""The tests on every supported Python, each in an environment of its own.

`nox` runs both and `nox -s tests-3.12` one. Interpreters are looked up on PATH; under pyenv, where a version
is on PATH only while it is active, say `PYENV_VERSION=3.11.7:3.12.1 nox` with the versions that you have.
"""

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = True


@nox.session(python=["3.11", "3.12"], venv_backend="uv|virtualenv")
def tests(session: nox.Session) -> None:
    """Install the project with its pinned dependencies and run the tests."""
    session.env["UV_PYTHON_DOWNLOADS"] = "never"
    session.install("-c", "constraints.txt", "-e", ".[test]")
    session.run("python", "-m", "pytest", "-n", "auto", *session.posargs)
