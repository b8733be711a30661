"""The face of the library: the code of the design runs as written, but for the numbers of chains."""

from sympy import Rational

from numerics import agree, simulate
from theory import MLE, Accumulate, Categorical, Gaussian, Loop, M, Mixed, Unbiased, absorption, alpha, drift, expect, n
from theory.symbols import V0


def test_the_symbolic_face_runs_as_written():
    """Assert that declared loops answer in closed form, in numbers and in the limit."""
    loop = Loop(Gaussian(), estimator=MLE())
    assert expect(loop, Gaussian.V).expression == V0 * ((M - 1) / M) ** n
    assert expect(loop, Gaussian.V).at(n=10, M=100, V0=1) == Rational(99, 100) ** 10
    limit = expect(Loop(Gaussian(), estimator=MLE(), regime=Accumulate()), Gaussian.V).limit()
    assert limit.subs({M: 4, V0: 1}) == limit.subs({M: 4, V0: 2}) / 2
    assert drift(loop).verdict == "collapse"
    assert drift(loop).rate.subs(M, 100).evalf(5) == drift(loop.at(M=100)).rate.evalf(5)
    assert drift(Loop(Gaussian(), estimator=Unbiased())).kappa == 1
    assert expect(Loop(Gaussian(), regime=Mixed(alpha)), Gaussian.V).limit().has(alpha)
    moment = expect(loop, Gaussian.mu**2 * Gaussian.V)
    assert moment.recurrence
    assert moment.assumptions
    assert moment.certificate
    assert moment.conditions == ()
    assert "Closed form" in moment.derivation()
    assert moment._repr_latex_().startswith("$")


def test_the_simulated_face_runs_as_written():
    """Assert that paths, streamed summaries and the verdict come out of one declared loop."""
    here = Loop(Gaussian(), estimator=MLE()).at(M=100)
    run = simulate(here, start={"mu": 0, "V": 1}, generations=20, chains=20_000, seed=0)
    assert dict(run.sizes) == {"chain": 20_000, "generation": 21}
    streamed = simulate(here, start={"mu": 0, "V": 1}, generations=20, chains=20_000, paths=False)
    assert abs(streamed["V_mean"][5] - run["V"].mean("chain")[5]) < 1e-12
    verdict = agree(expect(here, Gaussian.V), run)
    assert verdict.verdict == "agree", str(verdict)


def test_the_discrete_face_runs_as_written():
    """Assert that a categorical loop answers as the absorbing chain that it is."""
    chain = absorption(Loop(Categorical([Rational(1, 5)] * 5), samples=10))
    assert 0 < chain.survival(n=20) < 1 < chain.expected_time() < chain.support(n=1) * 10
    assert 0 < chain.lost(token=0, n=5) < 1 < chain.support(n=5) < 5
    assert chain.spectrum()[Rational(9, 10)] == 10


def test_switching_an_error_source_off_changes_its_axis_only():
    """Assert that each of the three error sources is one axis of the loop."""
    loop = Loop(Gaussian(), samples=50)
    assert loop.without("statistical").samples.is_infinite
    assert loop.without("expressivity") == loop == loop.without("approximation")
