"""What `collapse verify` is asked to do: the options of the command and the arguments of `proofs.verify.verify` in one
value.

Kept apart from the work itself, so that the command can read its options without loading JAX.
"""

from pathlib import Path
from typing import Any, Literal

from attrs import Attribute, field, frozen


def _at_least(least: int) -> Any:
    def check(job: "Job", attribute: "Attribute[int]", value: int) -> None:
        del job
        if value < least:
            raise ValueError(f"--{attribute.name} {value} is too small. Give a whole number >= {least}.")

    return check


@frozen
class ClusterJob:
    """Options of a command that the processes of a job run together.

    Args:
        processes: Share the chains with the other processes of the job: all that Slurm, MPI, Kubernetes or a TPU pod
            started, or how many there are.
        process: Number of this process, from 0, where nothing else says it.
        coordinator: Address and port of process 0, where nothing else says it, such as 10.0.0.1:9911.
    """

    processes: Literal["all"] | int | None = None
    process: int | None = None
    coordinator: str | None = None


@frozen
class Job:
    """Options of the main job.

    Args:
        data: Text file or CSV table; without it, the help prose of the running Python.
        column: Column of the CSV table; needed where several are numeric.
        samples: M, points per generation.
        generations: Refits per run.
        chains: Independent runs of each Gaussian loop; costlier loops run a tenth of them.
        seed: Seed of all random numbers.
        device: Where to simulate.
        out: Folder for report.html, table.json and figure.pdf.
        plant: Judge a deliberately wrong formula too; the job must then end with 1.
    """

    data: Path | None = None
    column: str | None = None
    samples: int = field(default=100, validator=_at_least(2))
    generations: int = field(default=20, validator=_at_least(1))
    chains: int = field(default=50_000, validator=_at_least(1000))
    seed: int = field(default=0, validator=_at_least(0))
    device: Literal["auto", "cpu", "gpu", "tpu"] = "auto"
    out: Path = Path("build/verify")
    plant: bool = False

    @property
    def costly_chains(self) -> int:
        """Runs of a loop that draws its data: a tenth of the others, 100 at least."""
        return max(100, self.chains // 10)


@frozen
class SourcesJob:
    """Options of the table of error sources.

    Args:
        only: Rows of one error source; "all" are the loops in which all three come together, and their eight variants.
        chains: Independent runs of each loop.
        seed: Seed of all random numbers.
        out: Folder for sources.html and sources.json.
    """

    only: Literal["statistical", "expressivity", "approximation", "all"] | None = None
    chains: int = field(default=40_000, validator=_at_least(1000))
    seed: int = field(default=0, validator=_at_least(0))
    out: Path = Path("build/sources")
