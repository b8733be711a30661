"""The command `collapse`. Exit code 0: all holds; 1: something disagrees, is not proved or
could not be judged; 2: bad input, said in one
line; 130 and 143: stopped by Ctrl-C or SIGTERM.

Work is imported inside the commands, so that `collapse --help` answers at once.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from proofs.fitting import FitJob
from proofs.folders import writable
from proofs.job import ClusterJob, Job, SourcesJob
from proofs.planning import PlanJob
from proofs.stopping import CODES, how, leave

LEFT = "nothing half-written is left behind."

app = App(
    name="collapse",
    help="Exact theory, simulation and proof of self-consuming loops.",
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # main() says what is left behind
)

derivations = App(name="derive")
app.command(derivations)

As_json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON instead of a table.")]
Job_options = Annotated[ClusterJob, Parameter(name="*")]


@app.command
def verify(job: Annotated[Job | None, Parameter(name="*")] = None, *, as_json: As_json = False) -> int:
    """Derive the claims on real data, simulate them, prove them, and write the table, a report and a figure."""
    from proofs import verify as main_job

    _keep_compiled()
    asked = job or Job()
    writable(asked.out)
    outcome = main_job.verify(asked)
    written = main_job.write(outcome, asked)
    print(main_job.as_json(outcome) if as_json else main_job.text(outcome, _width()))
    print(
        "\n".join(f"{name}: {path}" for name, path in written.items()),
        file=sys.stderr if as_json else sys.stdout,
    )
    for row in outcome.failures:
        remedy = " Run more --chains." if row.verdict == "underpowered" else ""
        print(f"collapse: {row.claim}: {row.verdict}, certificate {row.certificate}.{remedy}", file=sys.stderr)
    return 0 if outcome.holds else 1


@app.command
def sources(job: Annotated[SourcesJob | None, Parameter(name="*")] = None, *, as_json: As_json = False) -> int:
    """Judge every listed form of the three error sources: derived where it can be, simulated, and held to raw data."""
    from proofs import source_table

    asked = job or SourcesJob()
    table = source_table.made(asked)
    print(source_table.as_json(table, asked) if as_json else source_table.text(table, asked, _width()))
    for name, path in source_table.write(table, asked).items():
        print(f"{name}: {path}", file=sys.stderr if as_json else sys.stdout)
    return 0 if source_table.holds(table) else 1


@app.command
def prove(*, simulate: Annotated[bool, Parameter(negative="")] = False, as_json: As_json = False) -> int:
    """Check every theorem and print the dossier: what is proved, on what trust, and how it is tied to theory.

    Args:
        simulate: Hold every theorem against a simulation of its loop too.
    """
    from proofs.dossier import as_text, dossier

    if simulate:
        _keep_compiled()
    entries = dossier(simulate=simulate)
    print(json.dumps([entry.plain() for entry in entries]) if as_json else as_text(entries, _width()))
    return 0 if all(entry.holds for entry in entries) else 1


@derivations.default
def derive(
    of: str | None = None,
    /,
    *,
    family: str = "gaussian",
    estimator: str = "mle",
    regime: str = "replace",
    sampling: str = "faithful",
    samples: str = "M",
    tokens: str | None = None,
    generations: tuple[int, ...] = (1, 10, 100),
    keep: tuple[float, ...] = (0.5, 0.8),
    figure: Path | None = None,
    as_json: As_json = False,
) -> int:
    """Derive the expectation of an observable of model n, with its derivation, or the words that a text keeps.

    Args:
        of: Expression in the family's parameters, such as "mu**2 * V", "log(V)" or "p".
        family: Such as gaussian, bernoulli(1/3) or poisson.
        estimator: mle, unbiased, a multiple c of the unbiased variance, or such as damped(1/2, of=unbiased).
        regime: Such as replace, accumulate, mixed(1/10, fresh=False) or schedule([10, 20, 40]).
        sampling: Such as faithful, tempered(2) or truncated(3).
        samples: M, a number, or oo; with --tokens the tokens per generation, those of the text if left out.
        tokens: Text file, table of words and counts (.csv, .tsv), wordfreq:LANGUAGE, or prose for the running Python's
            own: which of its words are gone after retraining, and how much real text keeps them.
        generations: With --tokens, the generations that are looked at.
        keep: With --tokens, shares of the word types for which the real text needed is asked.
        figure: With --tokens, file for the figure (.pdf, .svg or .png).
    """
    if tokens is not None:
        from proofs.words import WordsJob, answer

        print(answer(WordsJob(tokens, samples, generations, keep, figure), _width(), as_json=as_json))
        return 0
    if of is None:
        raise ValueError('derive needs an observable. Give one, such as "mu**2", or a text with --tokens FILE.')
    from proofs.spec import loop_from, observable_from
    from theory import expect

    loop = loop_from(family=family, estimator=estimator, regime=regime, sampling=sampling, samples=samples)
    answer = expect(loop, observable_from(of, loop))
    if as_json:
        certificates = [certificate.data for certificate in answer.certificate]
        print(json.dumps({"expression": str(answer.expression), "start": answer.start, "certificate": certificates}))
    else:
        print(answer.derivation())
    return 0


@derivations.command
def plan(of: str, /, job: Annotated[PlanJob | None, Parameter(name="*")] = None, *, as_json: As_json = False) -> int:
    """Find how much of one thing keeps a quantity within a bound: samples, real share, weight, temperature, schedule.

    Args:
        of: Expression in the family's parameters, var(...) of one, a metric such as w2 or kl_source_model, drift, or
            support, survival, missing_mass or collision of a categorical loop.
    """
    from proofs.planning import answer

    text, code = answer(of, job or PlanJob(), as_json=as_json)
    print(text)
    return code


@app.command
def simulate(
    spec: Path,
    /,
    *,
    out: Path | None = None,
    resume: Annotated[bool, Parameter(negative="")] = False,
    summary: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    job: Job_options | None = None,
    as_json: As_json = False,
) -> int:
    """Simulate the loop of a TOML file and print its last generation; Ctrl-C and SIGTERM keep what is done.

    Args:
        spec: TOML file in the words of derive, with samples, generations, chains, seed, start, observe, paths and
            summaries.
        out: Folder that keeps the run, a file for every chunk as it is done, and run.nc at the end.
        resume: Go on with the run in the folder: only what is missing is computed.
        summary: What else is streamed of a variable, such as "V=quantiles([0.05, 0.5, 0.95])", "V=share(below=0.001)",
            "V=passage(below=0.001)", "V=extremes", "mu=histogram([-3, 3], bins=60)" or "mu=covariance(V)"; may be
            given again.
    """
    from proofs.simulation import answer

    _keep_compiled()
    if text := answer(spec, out, summary=summary, resume=resume, as_json=as_json, job=job or ClusterJob()):
        print(text)
    return 0


@app.command
def fit(
    curve: Path | None = None, /, job: Annotated[FitJob | None, Parameter(name="*")] = None, *, as_json: As_json = False
) -> int:
    """Infer from a measured curve how many samples, how much real data and what bias are behind it, and what follows.

    Args:
        curve: CSV file with the header generation,variance (or entropy, perplexity, vocabulary), and run if there are
            several; or generation,run,value and --observable.
    """
    from proofs.fitting import answer

    _keep_compiled()
    text, code = answer(curve, job or FitJob(), as_json=as_json)
    print(text)
    return code


@app.command
def catalogue(topic: str | None = None, /) -> int:
    """Print published results with their sources, what the engine says of each, and what is wrong with some.

    Args:
        topic: A word of one topic's title, such as gaussian, accumulated or squares; all topics if left out.
    """
    from theory.catalogue import TOPICS, table

    chosen = [title for title in TOPICS if (topic or "").lower() in title.lower()]
    if not chosen:
        raise ValueError(f"{topic!r} is in no title of the catalogue. Choose a word of: {', '.join(TOPICS)}.")
    print("\n\n".join(f"## {title}\n\n{table(TOPICS[title])}" for title in chosen))
    return 0


@app.command
def data(file: Path | None = None, /, *, column: str | None = None, as_json: As_json = False) -> int:
    """Say what the real input holds: its size, hash, licence and source.

    Args:
        file: Text file or CSV table; without it, the help prose of the running Python.
        column: Column of the CSV table.
    """
    from numerics.texts.data import described, load, prose

    facts = described(prose() if file is None else load(file, column))
    print(json.dumps(facts) if as_json else "\n".join(f"{name}: {value}" for name, value in facts.items()))
    return 0


def main() -> None:
    """Run the command; whatever is wrong with the input ends in one line and exit code 2."""
    try:
        code = app(sys.argv[1:], exit_on_error=False, print_error=False, result_action="return_value")
    except (CycloptsError, ValueError) as error:
        print(f"collapse: {' '.join(str(error).split())}", file=sys.stderr)
        code = 2
    except BrokenPipeError:  # the reader of a pipe has gone, as under head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except KeyboardInterrupt as stop:
        print(f"collapse: {how(stop)}; {stop.args[0] if stop.args else LEFT}", file=sys.stderr)
        code = CODES[how(stop)]
    leave(code if isinstance(code, int) else 0)


def _keep_compiled() -> None:
    """Start with what earlier commands have compiled."""
    from numerics import keep_compiled

    with suppress(ValueError):  # where nothing can be kept, programs are compiled again
        keep_compiled()


def _width() -> int:
    return max(100, get_terminal_size((120, 40)).columns)


if __name__ == "__main__":
    main()
