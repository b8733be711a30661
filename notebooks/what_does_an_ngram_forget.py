# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
# ---

# %% [markdown]
# # What does an n-gram model forget?
#
# Nearly everything but its commonest words: retrained 20 times on as many words as it has, a bigram model of 64,000
# words of prose is left with 17 % of its 24,000 bigrams, and thinks 42 % of the text's steps possible (order 2: 19 %,
# order 3: 12 %). It need not end in one word repeated: over three letters and texts of 6, 59 % of models end in a
# *cycle* of two or three letters. And contexts do not forget independently, since those that are seen rarely die: if
# each were a vocabulary of its own, half as many bigrams again would be left, and eight times as many 4-grams.

# %%
import os

from sympy import Rational

from numerics import Curve, agree, simulate
from numerics.texts import data
from numerics.texts.retrained import retrained
from numerics.texts.starving import predicted
from theory import Loop, NGram, absorption

CHAINS = int(os.environ.get("NOTEBOOK_CHAINS", "100000"))
RUNS = max(2, CHAINS // 33_000)

# %% [markdown]
# ## What absorbs: cycles
# A model of order 1 over three letters, every transition 1/3 at first, refitted on texts of 6 letters. All models that
# such texts can leave are written down, and solved exactly: the ends are words that repeat for ever.

# %%
third = [[Rational(1, 3)] * 3] * 3
small = Loop(NGram(1, third), samples=6)
chain = absorption(small)
{"".join(map(str, cycle)): chance.evalf(4) for cycle, chance in chain.cycles().items()}, chain.expected_time().evalf(4)

# %% [markdown]
# The same loop, simulated: do theory and simulation agree?

# %%
run = simulate(small, generations=10, chains=CHAINS)
verdict = agree(Curve("E[distinct bigrams]", "ngrams", [chain.ngrams(n) for n in range(11)]), run)
print(verdict)

# %% [markdown]
# ## Real text
# Python's help prose, word by word, retrained on as many words as it has. `coverage`: the share of the text's own steps
# that the model still thinks possible. `covered`: the perplexity of these steps alone, which *falls* as the rest is
# forgotten. `perplexity`: of all steps, with 1 % of the uniform law mixed in.

# %%
words = data.prose().words()
loops = {order: Loop(NGram(order, text=words), samples=len(words)) for order in (1, 2, 3)}
runs = {order: retrained(loop, generations=20, runs=RUNS) for order, loop in loops.items()}
names = ["vocabulary", "contexts", "ngrams", "entropy", "coverage", "covered", "perplexity"]
runs[1][names].isel(generation=[0, 1, 2, 5, 10, 20]).mean("run").to_dataframe().round(3)

# %%
(runs[1][names].std("run") / (RUNS - 1) ** 0.5).isel(generation=[1, 5, 20]).to_dataframe().round(3)

# %%
{order: run.coverage[:, 20].mean().item() for order, run in runs.items()}

# %% [markdown]
# ## Do contexts forget independently?
# As a vocabulary of its own, a context would keep the successors that the *independent* prediction says. But a context
# that is expected once is missed with probability 1/e, and then it is gone with all its successors. *Free* n-grams die
# one by one, as if a text were a bag of them.

# %%
theory = {order: predicted(loop, 20) for order, loop in loops.items()}
last = {order: one.isel(generation=20) for order, one in theory.items()}
predictions = {order: (one.independent_ngrams.item(), one.free_ngrams.item()) for order, one in last.items()}
{order: (run.ngrams[:, 20].mean().item(), *predictions[order]) for order, run in runs.items()}

# %%
from numerics.figures.starving_contexts import draw

figure = draw(
    runs[1], theory[1], f"order 1, M = {len(words):,} words of prose, {RUNS} runs, bars of two standard errors"
)
