"""`python -m numerics.trained`: the table of trained models, on whatever device JAX finds."""

from cyclopts import App
from sympy import Rational

from numerics.running.compiled import keep_compiled
from numerics.trained.models import models
from numerics.trained.study import study
from theory.regimes import Accumulate, Mixed, Replace

app = App(name="python -m numerics.trained", help="Hold trained models against the theory.")


@app.default
def table(*, scale: int = 1, runs: int = 48, generations: int = 10, seed: int = 0) -> None:
    """Print what theory says and what was measured, model by model.

    Args:
        scale: how much larger models, samples and training are; 1 is minutes on two cores.
        runs: independent runs of each network.
        generations: number of fits.
        seed: of all runs.
    """
    keep_compiled()
    for model in models(scale, runs):
        regimes = [Replace(), Accumulate(), Mixed(Rational(1, 4))]
        print(study([model], regimes, generations=generations, seed=seed), flush=True)


if __name__ == "__main__":
    app()
