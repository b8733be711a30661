"""Which letters a refit can reach from a product of letters, whatever the regime.

Moments join the ends of the random matrices anew: what lies between two of them (a *bone*, mostly nothing) is kept.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from sympy import Expr

from theory.invariants import DETERMINANTS, MODEL, SHIFT, SOURCE, Letter, letters_in
from theory.networks import IDENTITY, Atom, Component, form, trace

Bone = tuple[Atom | None, tuple[Atom, ...], Atom | None]
"""A fixed word between two random items; an end that is a fixed vector, or None where a random item is joined on."""


def reachable(product: Sequence[Component]) -> tuple[Component, ...]:
    """Return the components of models that moments of a product can hold, and of those in turn."""
    found = dict.fromkeys(_once(product))
    waiting = list(found)
    while waiting:
        fresh = [component for component in _once([waiting.pop()]) if component not in found]
        found |= dict.fromkeys(fresh)
        waiting += fresh
    return tuple(found)


def _once(product: Sequence[Component]) -> Iterator[Component]:
    atoms = {atom for component in product for atom in component.atoms}
    joints: tuple[Atom, ...] = (MODEL, SOURCE, IDENTITY)
    if MODEL.inverse in atoms:
        joints = (MODEL.inverse, MODEL) if SHIFT in atoms else (MODEL.inverse,)
    bones = tuple(sorted((bone for c in product for bone in _bones(c)), key=str))
    for chain in _chains(bones, joints):
        for component in _closed(chain, joints, MODEL in joints):
            if not {MODEL, MODEL.inverse, SHIFT}.isdisjoint(component.atoms):
                yield component


def _bones(component: Component) -> Iterator[Bone]:
    """Yield the fixed words between the random items of a component."""
    word = component.word
    cuts = [k for k, atom in enumerate(word) if atom in (MODEL, MODEL.inverse)]
    if not component.ends:
        turned = word[cuts[0] :] + word[: cuts[0]] if cuts else word
        yield from ((None, piece, None) for piece in _split(turned)[1:])
        return
    left, right = (None if end == SHIFT else end for end in component.ends)
    pieces = _split(word)
    for k, piece in enumerate(pieces):
        yield left if k == 0 else None, piece, right if k == len(pieces) - 1 else None


def _split(word: Sequence[Atom]) -> list[tuple[Atom, ...]]:
    pieces: list[list[Atom]] = [[]]
    for atom in word:
        pieces.append([]) if atom in (MODEL, MODEL.inverse) else pieces[-1].append(atom)
    return [tuple(piece) for piece in pieces]


Chain = tuple[Atom | None, tuple[Atom, ...], Atom | None]


@cache
def _chains(bones: tuple[Bone, ...], joints: tuple[Atom, ...]) -> tuple[Chain, ...]:
    """Return the words that bones make, each used at most as often as it is there, with joints between them."""
    found: dict[Chain, None] = {}
    waiting: list[tuple[Chain, Counter[Bone]]] = []
    for bone in dict.fromkeys(bones):
        waiting += [(turned, Counter(bones) - Counter([bone])) for turned in {bone, _turned(bone)}]
    seen = set()
    while waiting:
        chain, left = waiting.pop()
        key = chain, frozenset(left.items())
        if key in seen:
            continue
        seen.add(key)
        found[chain] = None
        if chain[2] is None:
            waiting += [(longer, left - Counter([bone])) for bone in left for longer in _longer(chain, bone, joints)]
    return tuple(found)


def _longer(chain: Chain, bone: Bone, joints: Iterable[Atom]) -> Iterator[Chain]:
    for left, word, right in {bone, _turned(bone)}:
        if left is None:
            yield from ((chain[0], (*chain[1], joint, *word), right) for joint in joints)


def _turned(bone: Bone) -> Bone:
    left, word, right = bone
    return right, word[::-1], left


def _closed(chain: Chain, joints: Iterable[Atom], shifted: bool) -> Iterator[Component]:
    """Yield the components that a chain closes to: a loop, or a form with delta at every open end."""
    left, word, right = chain
    if left is None and right is None:
        yield from (trace((*word, joint)) for joint in joints)
    if shifted or None not in (left, right):
        yield form(left or SHIFT, word, right or SHIFT)


def changing(term: Expr) -> list[Component]:
    """Return the components of a term that change, each as often as its power; of other powers one is enough."""
    found = []
    for x, power in term.as_powers_dict().items():
        if isinstance(x, Letter) and x.of_model and x.component not in DETERMINANTS:
            found += [x.component] * (int(power) if power.is_Integer and power > 0 else 1)
        elif not isinstance(x, Letter):
            found += [y.component for y in letters_in(x) if y.of_model and y.component not in DETERMINANTS]
    return found
