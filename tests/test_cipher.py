"""The words of all randomness: published vectors, JAX's own cipher, and places that are all different."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32

from numerics.samplers.cipher import (
    SEEDS,
    SLOT,
    Key,
    chain_key,
    cipher,
    generation_key,
    halves,
    jax_key,
    slot_key,
    words,
)

VECTORS = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]
"""Key, counter and words of threefry2x32-20 in the file kat_vectors of Random123, D. E. Shaw Research."""


@pytest.mark.parametrize(("key", "counter", "wanted"), VECTORS)
def test_published_vectors(key, counter, wanted):
    """Assert that the cipher gives the words that its authors publish."""
    key, counter = np.array(key, np.uint32), np.array(counter, np.uint32)
    assert tuple(map(int, cipher((key[0], key[1]), *counter))) == wanted


@pytest.mark.parametrize("seed", [0, 5, 2**32 + 7, SEEDS - 1])
def test_words_are_those_of_the_cipher(seed):
    """Assert that a chain's word is that of JAX's threefry, the key its seed's, the counter (chain, generation)."""
    chains = np.array([0, 1, 77, 2**32 - 1], np.uint32)
    with jax.enable_x64(True):
        for given in (seed, jnp.asarray(halves(seed))):
            here = jax.vmap(lambda chain, given=given: words(generation_key(chain_key(given, chain), 9)))(chains)
            counters = np.concatenate([chains, np.full(4, 9, np.uint32)])
            wanted = threefry_2x32(jax.random.key_data(jax.random.key(seed, impl="threefry2x32")), counters)
            assert np.concatenate(here).tolist() == wanted.tolist()


def test_a_slot_changes_the_key_of_the_cipher():
    """Assert key' = threefry_key(slot, 2^32 - 1), whose chain and generation stay."""
    key = generation_key(chain_key(3, 8), 2)
    assert SLOT == 2**32 - 1
    wanted = threefry_2x32(np.array([0, 3], np.uint32), np.array([6, SLOT], np.uint32)).tolist()
    assert [int(part) for part in slot_key(key, 6)] == [*wanted, 8, 2]


def test_many_words_have_a_slot_each():
    """Assert that word j of an array is the word of slot j, of row r that of slot j of slot r."""
    key = generation_key(chain_key(3, 8), 2)
    for row, under in ((None, key), (5, slot_key(key, 5))):
        many = np.array(words(key, (2, 3), row)).reshape(2, 6)
        assert many.T.tolist() == [[int(word) for word in words(slot_key(under, j))] for j in range(6)]


def test_keys_of_jax_are_words():
    """Assert that a key handed to JAX is the word of its place."""
    key = slot_key(chain_key(3, 8), 1)
    assert jax.random.key_data(jax_key(key)).tolist() == [int(word) for word in words(key)]


def test_places_are_all_different():
    """Assert that words differ in seed, chain, generation, slot and slot of a slot, and at the ends of their ranges."""

    def word(seed, chain, generation, slot, inner):
        key = slot_key(generation_key(chain_key(seed, chain), generation), slot)
        return jnp.stack([*words(key), *words(slot_key(key, inner))])

    ends = np.array([0, 1, 2, 2**31])
    places = np.stack(np.meshgrid(ends, ends, ends, ends, [0]), -1).reshape(-1, 5)
    with jax.enable_x64(True):
        drawn = np.concatenate(
            [jax.vmap(partial(word, int(s)))(*places[places[:, 0] == s, 1:].T) for s in ends]
        ).reshape(-1, 2)
        assert len(np.unique(drawn, axis=0)) == len(drawn)
        inner = np.asarray(jax.vmap(partial(word, 1, 1, 1, 1))(jnp.arange(50)))[:, 2:]
    assert len(np.unique(inner, axis=0)) == 50


def test_a_key_is_four_numbers():
    """Assert that a key is a plain tuple of arrays, which compiled code and vmap take apart by themselves."""
    key = jax.jit(lambda chain: slot_key(chain_key(1, chain), 2))(4)
    assert isinstance(key, Key)
    assert {part.dtype for part in jax.tree.leaves(key)} == {jnp.dtype(jnp.uint32)}
