"""The arguments of `simulate` as one frozen value, and what follows from them: the plan, its numbers, its layout.

An argument is one field here; what is made from it is one property, so that nothing is passed on by hand.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from attrs import Attribute, field, fields, frozen

from numerics import planning
from numerics.chains import Given
from numerics.planning import Plan
from numerics.precision import Precision
from numerics.running import devices as machine
from numerics.running.long_runs import identity
from numerics.running.parts import Layout, layout
from numerics.running.provenance import provenance
from numerics.samplers.cipher import CHAINS, GENERATIONS, SEEDS
from numerics.sources import Start, shape, source_arrays
from numerics.summaries.streams import Asked, spelled, streams
from theory.loop import Loop


def _whole(least: int, top: int) -> Any:
    def check(request: "Request", attribute: "Attribute[int]", value: Any) -> None:
        del request
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise ValueError(f"{attribute.name} = {value!r} is no whole number. Give an int.")
        if not least <= value <= top:
            raise ValueError(f"{attribute.name} = {value} is out of range. Give {least} <= {attribute.name} <= {top}.")

    return check


def _yes_no_auto(request: "Request", attribute: "Attribute[Any]", value: Any) -> None:
    del request
    if value not in (True, False, "auto"):
        raise ValueError(f"{attribute.name} = {value!r} is no answer. Give True, False or 'auto'.")


KEPT = {"kept": True}
"""Marks the fields that `rerun` is given again; the loop and the observables are code, and sizes change no number."""


@frozen(eq=False)
class Request:
    """What a run is asked to be; the arguments are those of `simulate`.

    Raises:
        ValueError: an argument out of range, or a symbol without a value; the latter where the plan is first read.
    """

    loop: Loop
    start: Start | None = field(metadata=KEPT)
    generations: int = field(validator=_whole(1, GENERATIONS), metadata=KEPT)
    chains: int = field(validator=_whole(1, CHAINS), metadata=KEPT)
    seed: int = field(validator=_whole(0, SEEDS - 1), metadata=KEPT)
    paths: bool | str = field(validator=_yes_no_auto, metadata=KEPT)
    observe: Mapping[str, Any] | None
    summaries: Mapping[str, Asked | Iterable[Asked]] | None = field(metadata=KEPT)
    method: str = field(metadata=KEPT)
    chunk: int | None
    device: str = field(metadata=KEPT)
    devices: machine.Number = 1
    precision: str = field(default="f64", metadata=KEPT)
    exact: bool = field(default=False, metadata=KEPT)

    @cached_property
    def given(self) -> Given:
        """The numbers that are no part of the compiled program."""
        return self._source | self._prepared[1] | self.plan.tables(self._prepared[1], self._source)

    @cached_property
    def plan(self) -> Plan:
        """What is compiled."""
        observed = planning.observables(self.loop, self.observe)
        held = self.chains if self.every_chain else planning.BLOCK
        named = None if self.paths else {*(self.summaries or {})}
        kinds = {"observed": bool(observed), "named": named}
        names = planning.recorded(self.loop, self._shape, self.generations, held, **kinds)
        wanted = streams(self.summaries, (*names, *dict(observed)), self.paths is not True)
        compiled, (which, _) = self._prepared[0], self.way
        lanes = planning.lanes(which, compiled, self._shape, self.generations, self.chosen[0].platform)
        kept = self.every_chain, wanted, lanes, self._precision
        return Plan(compiled, which, self._shape, names, observed, self.generations, *kept)

    @property
    def every_chain(self) -> bool:
        """Whether every chain is returned."""
        if self.paths != "auto":
            return bool(self.paths)
        numbers = planning.numbers(self.loop, self._shape, len(self.observe or {})) * (self.generations + 1)
        return 8 * self.chains * numbers <= planning.AUTO

    @cached_property
    def parts(self) -> Layout:
        """How the chains are shared out among chunks and files."""
        size = planning.chunk_size(self.plan, self.chunk, self.chains)
        return layout(self.plan, self.chains, size, self.chunk is not None)

    @cached_property
    def way(self) -> tuple[str, str]:
        """The path that runs, and why."""
        return planning.choose(self.loop, self.method, self._shape, self.exact)

    @cached_property
    def chosen(self) -> machine.Devices:
        """The devices that it runs on."""
        return machine.found(self.device, self.devices)

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The attributes of the result."""
        observe = json.dumps({name: str(expr) for name, expr in self.plan.observe})
        ran = {"method": self.way[0], "reason": self.way[1], "device": machine.described(self.chosen)}
        return {"loop": str(self.loop), "observe": observe, **ran, "provenance": provenance(self.loop, self._kept, ran)}

    def identity(self) -> dict[str, Any]:
        """Return what the numbers of the run depend on."""
        return identity(self.attributes, self.given, self.parts)

    @property
    def _kept(self) -> dict[str, Any]:
        """The arguments that make the run again."""
        kept = {f.name: getattr(self, f.name) for f in fields(Request) if f.metadata.get("kept")}
        where = self.chosen[0].platform
        return kept | {"start": dict(self.start or {}), "device": where, "summaries": spelled(self.summaries)}

    @cached_property
    def _precision(self) -> Precision:
        """How exactly it is simulated."""
        asked, (which, _) = Precision(self.precision, self.exact), self.way
        if asked.name != "f64" and (
            reason := planning.why_not_precision(which, self._prepared[0], self._shape, asked.name)
        ):
            raise ValueError(f"precision = {asked.name!r} is not known here: {reason}. Ask for precision='f64'.")
        return asked

    @cached_property
    def _source(self) -> dict[str, Any]:
        return dict(source_arrays(self.loop, self.start))

    @property
    def _shape(self) -> tuple[int, ...]:
        return shape(self._source)

    @cached_property
    def _prepared(self) -> tuple[Loop, dict[str, Any]]:
        return planning.PATHS[self.way[0]].prepared(self.loop, self.generations)
