"""nf.random: random numbers equal to TensorFlow's CPU kernels', bit for bit, for the same seeds.

    import nbflow as nf

    nf.random.set_seed(1)
    nf.random.normal([2, 3])                              # stateful: a new stream at each call
    nf.random.stateless_normal([2, 3], seed=[1, 2])       # a function of its seed
    nf.random.Generator.from_seed(1).normal([2, 3])       # an explicit state

All of them work the same inside nf.function, where every call of the compiled function draws new numbers.

Which numbers are TensorFlow's, for the same seeds and the same calls, eager and in functions, in every dtype:

    uniform, shuffle, split, fold_in, index_shuffle, uniform_full_int     the same bits, on any machine
    seeds and states: set_seed, make_seeds, create_rng_state, skip …      the same bits, on any machine
    uniform, learned and fixed unigram candidate samplers                 the same bits, on any machine
    normal, truncated_normal, gamma, poisson, binomial, and
    the log uniform candidate sampler                                     the same bits with the same C library
    categorical, stateless_categorical                                    the same but once in some 10^15 draws
    stateless_parameterized_truncated_normal                              the same up to about 1,000 samples, then in
                                                                          distribution only
    without any seed, or all seeds 0 in candidate samplers                in distribution only, as in TensorFlow itself

Stateful, stateless and Generator's forms of a function are in the same row; nf.image's random functions are made of
them. Logarithms, exponentials, powers, sines and cosines come from the C library, as in TensorFlow: both give the same
bits on the same machine. TensorFlow's categorical sums exponentials that Eigen's vectors make, here they are the C
library's, and the last bit of a sum decides a category that rarely. Beyond about 200,000 cycles of work TensorFlow
gives blocks of rows to threads, and a block is one sequence of numbers; the same blocks are made here, by the CPUs that
the process may use. The parameterized truncated normal is one sequence for all samples, as TensorFlow's while one
thread does them.

ThreeFry has no CPU kernel in TensorFlow: what draws by it raises here as there.
"""

from typing import TYPE_CHECKING, Any

from nbflow.random import candidates, experimental, generator, stateful, stateless

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
