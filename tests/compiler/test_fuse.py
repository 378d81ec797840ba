"""What becomes one kernel, what one chain, and what must stay apart."""

import numpy as np
import pytest
from programs import chains_of, floats, mnist_step, program_of

import nbflow as nf


def kernels(function, *arguments) -> int:
    return len(program_of(function, *arguments).kernels)


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda a, b: nf.sigmoid(a * b + 1) * a - 2 * b, [(50, 7), (50, 7)]),
        (lambda a, b: nf.nn.relu(a + b), [(50, 7), (7,)]),
        (lambda a: nf.nn.softmax(a), [(50, 7)]),
        (lambda a: nf.nn.log_softmax(a), [(6, 5, 7)]),
        (lambda a, b: nf.nn.softmax_cross_entropy_with_logits(nf.nn.softmax(a), b), [(50, 7), (50, 7)]),
        (lambda a: (a - nf.reduce_mean(a, 1, keepdims=True)) * 2, [(50, 70)]),
        (lambda a: nf.reduce_sum(nf.exp(a), 1), [(50, 70)]),
        (lambda a: nf.reduce_sum(a * a, 0), [(50, 70)]),
        (lambda a: (nf.exp(a), nf.exp(a) + 1), [(50, 7)]),
        (lambda a: nf.exp(nf.transpose(a)), [(5, 7)]),
        (lambda a: nf.exp(a[::-1, 1:]), [(5, 7)]),
    ],
)
def test_one_kernel(function, shapes):
    assert kernels(function, *(floats(*shape) for shape in shapes)) == 1


def test_a_work_between_keeps_groups_apart():
    """exp(x) and the sum with the product cannot be one loop: the product needs all of exp(x)."""
    x, w = floats(20, 20), floats(20, 20)
    function = nf.function(lambda x, w: nf.exp(x) + nf.matmul(nf.exp(x), w))
    found = function(x, w).numpy()
    np.testing.assert_allclose(found, np.exp(x) + np.exp(x) @ w, rtol=1e-4)


def test_sum_over_rows_walks_memory_in_order():
    (kernel,) = program_of(lambda a: nf.reduce_sum(a * 2, 0), floats(50, 70)).kernels
    assert "over columns" in kernel.source


def test_large_sums_go_in_pieces():
    program = program_of(lambda a: nf.reduce_mean(a * a), floats(400, 500))
    assert [k for k in program.kernels if "pieces" in k.name]
    assert program.chains[0].extent > 1


def test_cap_on_operands():
    """A sum of fifty arrays is more than one kernel, and right."""
    arrays = [floats(30, 3) * k for k in range(50)]

    def total(*arrays):
        result = arrays[0]
        for array in arrays[1:]:
            result = result + array
        return result

    assert 1 < kernels(total, *arrays) < 10
    np.testing.assert_allclose(nf.function(total)(*arrays).numpy(), sum(arrays), rtol=1e-4, atol=1e-3)


def test_the_mnist_step():
    step, variables = mnist_step()
    labels = np.eye(10, dtype=np.float32)[np.arange(100) % 10]
    program = step.get_concrete_function(floats(100, 784), labels).compiled.program([])
    chains = chains_of(program)
    whole = max(chains, key=len)
    assert whole[0] == "matmul" and whole.count("matmul") == 3 and len(whole) == 6
    updates = [chain for chain in chains if "square" in "".join(chain)]
    assert sum(chain[0] == "matmul" and len(chain) == 2 for chain in updates) == 2
    assert len(program.kernels) <= 9
    assert program.parallel
    assert sum("copy" in name for chain in chains for name in chain) == 0  # every update is in place


def test_new_batch_size_compiles_nothing():
    step, _ = mnist_step()

    def names(batch):
        labels = np.eye(10, dtype=np.float32)[np.arange(batch) % 10]
        program = step.get_concrete_function(floats(batch, 784), labels).compiled.program([])
        return {kernel.name for kernel in program.kernels}

    assert names(100) == names(64) == names(33)
