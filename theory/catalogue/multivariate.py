"""Published claims about refitting a covariance matrix: Wishart moments, determinants, spectra, narrow families."""

from sympy import Determinant, Rational, S, Symbol, Trace, digamma, gamma, log
from sympy import oo as infinity

from theory.catalogue.questions import Exponent, Mean, Risk
from theory.catalogue.specimen import Specimen
from theory.estimators import Unbiased
from theory.families import DiagonalGaussian, MultivariateGaussian
from theory.loop import Loop
from theory.symbols import M, d
from theory.zonal import zonal

Sigma, Sigma0 = MultivariateGaussian.Sigma, MultivariateGaussian.Sigma0
nu = M - 1
rho = Symbol("rho", positive=True)
UNBIASED = Loop(MultivariateGaussian(), estimator=Unbiased())
LIKELIHOOD = Loop(MultivariateGaussian())
SQUARE = Loop(MultivariateGaussian(dimension=3), estimator=Unbiased(), samples=4)

MUIRHEAD = "Muirhead, Aspects of Multivariate Statistical Theory (1982), Theorem 7.2.7"
WILKS = "Wilks, Biometrika 24, 471-494 (1932)"
LETAC = "Letac and Massam, Scand. J. Statist. 31, 295-318 (2004)"
ANDERSON = "Anderson, An Introduction to Multivariate Statistical Analysis (2003)"
NEWMAN = "Newman, Commun. Math. Phys. 103, 121-126 (1986)"
COVER = "Cover and Thomas, Elements of Information Theory (2006)"
SHUMAILOV = "Shumailov et al., Nature 631, 755-759 (2024)"

SPECIMENS = (
    Specimen(
        name="zonal polynomial (2)",
        claim="a Wishart matrix multiplies E C_kappa by (2/nu)^|kappa| (nu/2)_kappa, kappa = (2)",
        loop=UNBIASED,
        question=Mean(zonal((2,)), S.One),
        published=(nu + 2) / nu * zonal((2,), Sigma0),
        source=MUIRHEAD,
        note="One fit; n of them take it to the power n.",
    ),
    Specimen(
        name="zonal polynomial (1, 1)",
        claim="a Wishart matrix multiplies E C_kappa by (2/nu)^|kappa| (nu/2)_kappa, kappa = (1, 1)",
        loop=UNBIASED,
        question=Mean(zonal((1, 1)), S.One),
        published=(nu - 1) / nu * zonal((1, 1), Sigma0),
        source=MUIRHEAD,
    ),
    Specimen(
        name="zonal polynomial (2, 1)",
        claim="a Wishart matrix multiplies E C_kappa by (2/nu)^|kappa| (nu/2)_kappa, kappa = (2, 1)",
        loop=UNBIASED,
        question=Mean(zonal((2, 1)), S.One),
        published=(nu + 2) * (nu - 1) / nu**2 * zonal((2, 1), Sigma0),
        source=MUIRHEAD,
    ),
    Specimen(
        name="generalised variance",
        claim="E det S = nu (nu - 1) ... (nu - d + 1)/nu^d det Sigma",
        loop=UNBIASED,
        question=Mean(Determinant(Sigma), S.One),
        published=Determinant(Sigma0) * gamma(nu + 1) / (gamma(nu - d + 1) * nu**d),
        source=WILKS,
        note="It decays although E S = Sigma: the mean of a determinant is not the determinant of the mean.",
    ),
    Specimen(
        name="trace of the squared covariance",
        claim="E tr S^2 = ((nu + 1) tr Sigma^2 + (tr Sigma)^2)/nu",
        loop=UNBIASED,
        question=Mean(Trace(Sigma**2), S.One),
        published=((nu + 1) * Trace(Sigma0**2) + Trace(Sigma0) ** 2) / nu,
        source=LETAC,
    ),
    Specimen(
        name="square of the trace",
        claim="E (tr S)^2 = (tr Sigma)^2 + 2 tr Sigma^2/nu",
        loop=UNBIASED,
        question=Mean(Trace(Sigma) ** 2, S.One),
        published=Trace(Sigma0) ** 2 + 2 * Trace(Sigma0**2) / nu,
        source=LETAC,
    ),
    Specimen(
        name="mean of the precision matrix",
        claim="E S^-1 = nu/(nu - d - 1) Sigma^-1",
        loop=UNBIASED,
        question=Mean(Trace(Sigma.I), S.One),
        published=Trace(Sigma0.I) * nu / (nu - d - 1),
        source=ANDERSON,
    ),
    Specimen(
        name="mean of the maximum likelihood covariance",
        claim="the maximum likelihood covariance has mean (M - 1)/M Sigma",
        loop=LIKELIHOOD,
        question=Mean(Trace(Sigma), S.One),
        published=Trace(Sigma0) * (1 - 1 / M),
        source=ANDERSON,
    ),
    Specimen(
        name="Lyapunov exponents of square Gaussian matrices",
        claim="products of d x d standard normal matrices have exponents (log 2 + psi((d - k + 1)/2))/2",
        loop=SQUARE,
        question=Exponent(2),
        published=log(2) + digamma(1) - log(3),
        source=NEWMAN,
        note="At d = 3, k = 2 and M = d + 1, where a refit is such a product: eigenvalues of S are squares over d.",
    ),
    Specimen(
        name="information lost by a diagonal fit",
        claim="a diagonal fit of two normal variables loses their mutual information, -log(1 - rho^2)/2",
        loop=Loop(DiagonalGaussian(), source=MultivariateGaussian([0, 0], [[1, rho], [rho, 1]]), samples=infinity),
        question=Risk("kl_source_model"),
        published=-log(1 - rho**2) / 2,
        source=COVER,
    ),
    Specimen(
        name="expressivity is paid at the first generation",
        claim="with infinite data the error of a narrow family occurs at the first generation only",
        loop=Loop(
            DiagonalGaussian(),
            source=MultivariateGaussian([0, 0], [[1, Rational(3, 5)], [Rational(3, 5), 1]]),
            samples=infinity,
        ),
        question=Risk("kl_source_model", limit=True),
        published=-log(1 - Rational(9, 25)) / 2,
        source=SHUMAILOV,
        note="It needs a fit that leaves its own samples as they are, as projections onto exponential families do; "
        "kernel densities and early stopping compound.",
    ),
)
