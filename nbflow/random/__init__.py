"""nf.random: random numbers equal to TensorFlow's CPU kernels', bit for bit, for the same seeds.

    import nbflow as nf

    nf.random.set_seed(1)
    nf.random.normal([2, 3])                              # stateful: a new stream at each call
    nf.random.stateless_normal([2, 3], seed=[1, 2])       # a function of its seed
    nf.random.Generator.from_seed(1).normal([2, 3])       # an explicit state

All of them work the same inside nf.function, where every call of the compiled function draws new numbers.

Equal bit for bit, eager and in functions, in every dtype that TensorFlow has CPU kernels for: normal, truncated_normal,
uniform, shuffle, split, fold_in, gamma, poisson, binomial, their stateless forms and the methods of Generator, the
candidate samplers and index_shuffle. Logarithms, exponentials, powers, sines and cosines come from the C library, as in
TensorFlow: both give the same bits on the same machine.

Equal with these exceptions:
- categorical: TensorFlow sums exponentials that Eigen's vectors make, here they are the C library's. The last bit of a
  sum decides a category once in some 10^15 draws. Beyond about 200,000 cycles of work TensorFlow gives blocks of rows
  to threads, and a block is one sequence of numbers; the same blocks are made here, by the CPUs that the process may
  use.
- stateless_parameterized_truncated_normal: one sequence for all samples, as TensorFlow's while one thread does them,
  which is up to about a thousand samples; beyond that only the distribution is the same.

ThreeFry has no CPU kernel in TensorFlow: what draws by it raises here as there.
"""

from typing import TYPE_CHECKING, Any

from nbflow.random import candidates, experimental, generator, stateful, stateless

if TYPE_CHECKING:  # what `publish` puts here

    def __getattr__(name: str) -> Any: ...
