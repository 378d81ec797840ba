"""Every optimizer against Keras' numbers: Variables and state after 40 steps, names, configurations."""

import contextlib
import re

import numpy as np
import pytest

import nbflow as nf
from tests.optimizers.golden import CONFIGS, CONSTANTS, GOLDEN, NAMES

CASES = {**CONSTANTS["CASES"], **CONSTANTS["DENSE_ONLY"]}
SCOPE = {**vars(nf.keras.optimizers), "schedules": nf.keras.optimizers.schedules}
TOLERANCE = {"float32": (3e-6, 3e-7), "float16": (1e-3, 1e-3), "bfloat16": (8e-3, 8e-3)}


def step_of(run: str, traced: bool):
    """A function of the number of a step, which runs it, and the Variables and the optimizer."""
    case, _, kind = run.partition("/")
    dtype = kind if kind in TOLERANCE else "float32"
    optimizer = eval(CASES[case], SCOPE)
    variables = [nf.Variable(nf.cast(GOLDEN[f"start/{k}"], dtype), name=f"v{k}") for k in range(3)]
    optimizer.exclude_from_weight_decay(var_list=variables[:1], var_names=["v1"])
    optimizer.build(variables)

    def apply(*gradients):
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    run_step = nf.function(apply) if traced else apply

    def step(number):
        gradients = [nf.cast(GOLDEN[f"gradients/{k}"][number], dtype) for k in range(3)]
        if kind == "sparse":
            parts = (nf.constant(GOLDEN[key][number]) for key in ("rows", "indices"))
            gradients[0] = nf.IndexedSlices(*parts, nf.constant([4, 3]))
        if number == CONSTANTS["INFINITE"] and case == "scaled":
            gradients[1] *= np.inf
        skips = number == CONSTANTS["SKIPPED"] and not optimizer.gradient_accumulation_steps
        if skips:
            gradients[2] = None
        with (
            pytest.warns(UserWarning, match="do not exist for variables .'v2:0'") if skips else contextlib.nullcontext()
        ):
            run_step(*gradients)

    return step, variables, optimizer


@pytest.mark.parametrize("run", NAMES)
def test_updates(run):
    step, variables, optimizer = step_of(run, traced=run.endswith("sparse"))
    rtol, atol = TOLERANCE.get(run.rpartition("/")[2], TOLERANCE["float32"])
    for number in range(CONSTANTS["STEPS"]):
        step(number)
        if number in CONSTANTS["SEEN"]:
            for k, variable in enumerate(variables):
                expected = GOLDEN[f"{run}/{k}"][CONSTANTS["SEEN"].index(number)]
                np.testing.assert_allclose(nf.cast(variable, "float32"), expected, rtol, atol, err_msg=f"step {number}")
    state = optimizer.variables
    found = [[v.name, v.dtype.name, list(v.shape)] for v in state]
    assert found == [[re.sub(r"variable_\d+", "variable", name), *more] for name, *more in NAMES[run]]
    assert not any(v.trainable for v in state)
    for k, variable in enumerate(state):
        expected = GOLDEN[f"{run}/state/{k}"]
        np.testing.assert_allclose(nf.cast(variable, "float32"), expected, 4 * rtol, atol, err_msg=variable.name)


@pytest.mark.parametrize("case", sorted(set(CASES) & set(CONFIGS)))
def test_configurations(case):
    optimizer = eval(CASES[case], SCOPE)
    optimizer.name = "given"
    if case == "scaled":
        optimizer.inner_optimizer.name = "inner"
    config = nf.keras.optimizers.serialize(optimizer)
    assert config == CONFIGS[case] and list(config["config"]) == list(CONFIGS[case]["config"])
    made = nf.keras.optimizers.deserialize(config)
    assert type(made) is type(optimizer) and made.get_config() == optimizer.get_config()


@pytest.mark.parametrize("name", CONSTANTS["SCHEDULES"])
def test_schedules(name):
    schedule = eval(CONSTANTS["SCHEDULES"][name], vars(nf.optimizers.schedules))
    rates = nf.function(nf.vectorized_map)(schedule, nf.range(CONSTANTS["ROUNDS"], dtype=nf.int64))
    np.testing.assert_allclose(rates, GOLDEN[f"schedule/{name}"], rtol=1e-5, atol=1e-8)
    assert float(schedule(3)) == pytest.approx(float(rates[3]), rel=1e-6)
    config = nf.keras.optimizers.schedules.serialize(schedule)
    assert config == CONFIGS[f"schedule/{name}"]
    assert nf.keras.optimizers.schedules.deserialize(config).get_config() == schedule.get_config()
