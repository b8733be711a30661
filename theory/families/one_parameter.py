"""Families with one fitted parameter, the others known: what they share whatever the fit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from attrs import evolve, fields, frozen
from sympy import Expr, Symbol

from theory import symbols
from theory.exact import exact
from theory.families.base import Batch, Derivable, Family, Parameters
from theory.innovations import Multinomial
from theory.sampling import Sampling


@frozen
class OneParameter(Derivable):
    """A family whose state is ``parameter``; its source value is the field of that name with a 0, as rate and rate0.

    Every other field is a known constant, a number or a symbol.
    """

    parameter: ClassVar[Symbol]

    @property
    def initial(self) -> Expr:
        """The source's value of the parameter."""
        return getattr(self, f"{self.parameter}0")

    def constants(self) -> dict[str, Expr]:
        """Return the known constants by name."""
        return {name: value for name, value in self._values().items() if name != f"{self.parameter}0"}

    def source(self) -> Parameters:
        """Return {parameter: its source value}."""
        return {self.parameter: self.initial}

    @property
    def free_symbols(self) -> set[Symbol]:
        """The symbols of the source and of the known constants."""
        return {s for value in self._values().values() for s in value.free_symbols}

    def substitute(self, values: Mapping[Any, Expr]) -> Self:
        """Return the family with values put into the source and the known constants."""
        return type(self)(**{name: value.subs(values) for name, value in self._values().items()})

    def project(self, source: Family) -> Family:
        """Return the source, when it is of this family with the same known constants.

        Raises:
            ValueError: another family, or other constants: the first fit would see points that no later one does.
        """
        projected = super().project(source)
        for name, value in self.constants().items():
            if value != getattr(source, name):
                raise ValueError(
                    f"the source has {name} = {getattr(source, name)}, the family {value}: no projection is known. "
                    f"Give both the same {name}."
                )
        return projected

    def drawn_as(self, sampling: Sampling) -> Family:
        """Return the law of the family that a distortion makes of the source, where it makes one."""
        law = self.distorted(self.source(), sampling)
        names = {str(self.parameter): f"{self.parameter}0", str(symbols.r): "shape"}
        return evolve(self, **{names[str(x)]: value for x, value in law.items() if names[str(x)] in self._values()})

    def _values(self) -> dict[str, Expr]:
        return {f.name: getattr(self, f.name) for f in fields(type(self))}


@frozen
class Additive(OneParameter):
    """A family with one parameter whose fit reads a sum over the points."""

    def pool(self, one: Batch, two: Batch) -> Batch:
        """Return the sum of the sums."""
        return Batch(one.size + two.size, (one.statistics[0] + two.statistics[0],), one.laws + two.laws)

    def mixture(self, source: Parameters, model: Parameters, share: Expr, size: Expr, sampling: Sampling) -> Batch:
        """Return the sum of j ~ Binomial(size, share) points of the source and size - j of the model."""
        real = Symbol("j_real", integer=True, nonnegative=True)
        pooled = self.pool(
            self.batch(source, real, "real"), self.batch(self.distorted(model, sampling), size - real, "model")
        )
        return Batch(size, pooled.statistics, (Multinomial((real,), size, (share,)), *pooled.laws))

    def remembered(self, batch: Batch, label: str, state: Sequence[Expr]) -> Parameters:
        """Return the mean of the sum, sum/m."""
        del state
        return {self._mean(label): batch.statistics[0] / batch.size}

    def recalled(self, size: Expr, label: str, state: Sequence[Expr]) -> Batch:
        """Return the sum, m times the mean."""
        del state
        return Batch(size, (size * self._mean(label),))

    def _mean(self, label: str) -> Symbol:
        return Symbol(f"mean_{label}", **self._sign)

    @property
    def _sign(self) -> dict[str, bool]:
        """The assumptions of a sum: non-negative where the parameter is."""
        return {"nonnegative": True} if self.parameter.is_nonnegative else {"real": True}


def positive(family: str, name: str, least: str = "> 0") -> Callable[[object], Expr]:
    """Return the converter of a field that must be positive, or non-negative with ``least`` = ">= 0"."""

    def converted(value: object) -> Expr:
        number = exact(value, name)
        if number.is_negative or (least == "> 0" and number.is_zero) or number.is_infinite:
            raise ValueError(f"{family}({name}={number}) is no such law. Give {name} {least}.")
        return number

    return converted
