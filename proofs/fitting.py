"""`collapse fit`: what a measured curve says about the loop behind it, as text, JSON and a figure.

Work is imported inside the functions, so that the command can read its options without loading JAX.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from proofs.folders import writable

if TYPE_CHECKING:
    from numerics.fitting import Crossing, CurveFit

FILES = ("fit.json", "figure.pdf")
KEPT = "mixed(alpha, fresh=False)"
"""What the word kept stands for."""


@frozen
class FitJob:
    """Options of the fit.

    Args:
        observable: What the values are; by default what the header says. An entropy is a Gaussian's, in nats, and a
            perplexity exp(entropy); a vocabulary counts the types that are left.
        regimes: Regimes to tell apart, with commas: replace, accumulate, mixed (with fresh real data), kept (one set of
            real data, kept); all that the curve can tell if left out. A regime may be written as in derive, such as
            mixed(1/10).
        estimator: How the variance is fitted: scaled(c) leaves its factor open; mle, unbiased or a number fix it.
        samples: M if it is known.
        source: For a vocabulary, the text or table whose words generation 0 is; by default Zipf's law.
        tolerance: Share of its first value below which the curve counts as collapsed.
        within: Generations after the last one seen that the forecast looks at.
        level: Probability of intervals and bands.
        seed: Seed of all random numbers.
        out: Folder for fit.json and figure.pdf.
        calibrate: In place of a curve, fit this many simulated ones and report coverage and ranks.
    """

    observable: Literal["variance", "entropy", "perplexity", "vocabulary"] | None = None
    regimes: str | None = None
    estimator: str = "scaled(c)"
    samples: str = "M"
    source: str | None = None
    tolerance: float = 0.1
    within: int = 1000
    level: float = 0.9
    seed: int = 0
    out: Path | None = None
    calibrate: int | None = None


def answer(curve: Path | None, job: FitJob, *, as_json: bool) -> tuple[str, int]:
    """Return the findings as text or JSON, and the exit code: 1 where NUTS has not mixed or ranks are not uniform.

    Raises:
        ValueError: a curve that cannot be read, options out of range, or a folder that cannot be used.
    """
    if job.calibrate is not None:
        return _calibrated(job, as_json=as_json)
    if curve is None:
        raise ValueError("fit needs a curve. Give a CSV file with the header generation,variance, or --calibrate 200.")
    if not 1 <= job.within <= 100_000:
        raise ValueError(f"--within {job.within} is out of range. Give 1 to 100000 generations.")
    if job.out is not None:
        writable(job.out)
    from numerics.fitting.forecast import check_tolerance

    check_tolerance(job.tolerance)
    found = _found(curve, job)
    forecast = found.forecast(job.tolerance, within=job.within)
    plain = _plain(found, forecast)
    text = json.dumps(plain) if as_json else f"{found}\n{forecast}"
    if job.out is not None:
        _write(found, plain, job, job.out)
        text += "" if as_json else "\n" + "\n".join(f"{Path(name).stem}: {job.out / name}" for name in FILES)
    mixed = all(not fit.possible or fit.mixed for fit in found.fits)
    return text, 0 if mixed else 1


def _found(curve: Path, job: FitJob) -> "CurveFit":
    from numerics.fitting import fit_curve, read_curve

    seen = read_curve(curve, job.observable)
    if job.source is not None and seen.observable != "vocabulary":
        raise ValueError(f"--source {job.source} is for a vocabulary, and this is a {seen.observable}. Leave it out.")
    return fit_curve(
        seen, _loops(job, seen.observable), source=_frequencies(job.source), level=job.level, seed=job.seed
    )


def _loops(job: FitJob, observable: str) -> Any:
    """Return the regimes by name, or as loops where an axis is said."""
    words = None if job.regimes is None else [word.strip() for word in _split(job.regimes)]
    plain = job.estimator == "scaled(c)" and job.samples == "M"
    if plain and (words is None or all(word.isalpha() for word in words)):
        return words
    from proofs.spec import loop_from

    discrete = observable == "vocabulary"
    family, estimator = ("categorical([1/2, 1/2])", "mle") if discrete else ("gaussian", job.estimator)
    known = words or (["replace", "mixed", "kept"] if discrete else ["replace", "accumulate", "mixed", "kept"])
    axes = {"family": family, "estimator": estimator, "sampling": "faithful", "samples": job.samples}
    return [loop_from(regime=KEPT if word == "kept" else word, **axes) for word in known]


def _split(text: str) -> list[str]:
    """Return the parts between commas that stand in no parentheses.

    >>> _split("replace,mixed(1/10, fresh=True)")
    ['replace', 'mixed(1/10, fresh=True)']
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _frequencies(source: str | None) -> Any:
    from numerics.texts.lexicon import lexicon

    return None if source is None else lexicon(None if source == "prose" else source).frequencies


def _write(found: "CurveFit", plain: dict[str, Any], job: FitJob, out: Path) -> None:
    """Write the findings and the figure, each whole or not at all."""
    from numerics.figures.fitted_curve import draw
    from numerics.reports.plots import save
    from numerics.reports.report import write_whole

    write_whole(out / FILES[0], json.dumps(plain, indent=1))
    save(draw(found, job.tolerance), out / FILES[1], {"curve": found.curve.name, "seed": job.seed})


def _plain(found: "CurveFit", forecast: "Crossing") -> dict[str, Any]:
    regimes = [
        {
            "regime": fit.name,
            "probability": float(chance),
            "log_evidence": fit.evidence.log if fit.possible else None,
            "standard_error": fit.evidence.error,
            "symbols": [_row(row) for row in (fit.summary() if fit.possible else ())],
        }
        for fit, chance in zip(found.fits, found.probabilities, strict=True)
    ]
    return {
        "curve": found.curve.name,
        "observable": found.curve.observable,
        "refits": found.curve.refits,
        "level": found.level,
        "regimes": regimes,
        "forecast": {
            "tolerance": forecast.tolerance,
            "median": _finite(forecast.median),
            "interval": [_finite(x) for x in forecast.interval],
            "never": forecast.never,
            "last": forecast.last,
        },
    }


def _row(row: Any) -> dict[str, Any]:
    return {"name": row.name, "median": row.median, "interval": [row.low, row.high], "learned": row.learned}


def _finite(x: float) -> float | None:
    """Return a number, None for infinity: JSON has no word for it."""
    return None if x in (float("inf"), float("-inf")) else x


def _calibrated(job: FitJob, *, as_json: bool) -> tuple[str, int]:
    from numerics.fitting.calibration import calibrate

    regimes = _split(job.regimes or "replace")
    size = job.calibrate or 0
    reports = [calibrate(name.strip(), curves=size, level=job.level, seed=job.seed) for name in regimes]
    text = json.dumps([report.plain() for report in reports]) if as_json else "\n".join(map(str, reports))
    return text, 0 if all(report.holds for report in reports) else 1
