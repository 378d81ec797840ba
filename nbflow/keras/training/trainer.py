"""Training: compile, fit, evaluate, predict, and the steps that they run, each one compiled program."""

import warnings
from typing import Any

import numpy as np
import optree

from nbflow.arrays.shaping import shape
from nbflow.autograph.conversion import converted
from nbflow.function.function import Function
from nbflow.keras import callbacks as callbacks_module
from nbflow.keras import optimizers as optimizers_module
from nbflow.keras.layers.layer import Layer
from nbflow.keras.metrics.means import Mean
from nbflow.keras.metrics.metric import Metric
from nbflow.keras.symbolic import KerasTensor
from nbflow.keras.training.compiled import CompiledLoss, CompiledMetrics
from nbflow.keras.training.data import (
    EMPTY,
    Batches,
    Single,
    batches,
    class_weights,
    tensor_of,
    train_validation_split,
)
from nbflow.keras.training.labels import Labels
from nbflow.keras.utils.data import unpack_x_y_sample_weight
from nbflow.math.reductions import reduce_sum
from nbflow.module import found
from nbflow.objects.serialization import deserialize_keras_object, serialize_keras_object
from nbflow.optimizers.loss_scale import LossScaleOptimizer
from nbflow.tape.gradient_tape import GradientTape
from nbflow.tensor.protocol import TensorProtocol
from nbflow.tensor.string_tensor import StringTensor
from nbflow.tensor.tensor import Tensor, to_tensor


class Step(Function):
    """A compiled step. Batches with strings, which no compiled function takes, it runs op by op."""

    def __call__(self, *parts):
        for part in parts:
            if type(part) is not Tensor:  # it may hold others
                if any(isinstance(leaf, StringTensor) for leaf in optree.tree_leaves(parts)):
                    return self.python_function(*parts)
                break
        return super().__call__(*parts)


class Trainer(Layer):
    """A layer that trains: the part of Model that compiles and loops."""

    optimizer: Any
    stop_training: bool

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.optimizer = self.loss = self.history = None
        self.stop_training = self.compiled = self.run_eagerly = False
        self.steps_per_execution = 1
        self._compiled_loss = self._compiled_metrics = self._loss_tracker = self._compile_arguments = None
        self._functions: dict[str, Any] = {}
        self._labels: Labels | None = None
        self._traced_for_labels = False
        self._initial_epoch: int | None = None  # set by BackupAndRestore: where to go on

    # --- compile ------------------------------------------------------------------------------------------------------

    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
    ) -> None:
        """Says how the model is trained (tf.keras.Model.compile).

        Args:
            optimizer: an optimizer or its name.
            loss: a loss, its name, or a list or dict of them by output.
            loss_weights: numbers by output that the losses are multiplied by.
            metrics: metrics, their names or functions; lists or dicts of lists by output.
            weighted_metrics: metrics that take sample weights.
            run_eagerly: whether steps run op by op, so that Python can be debugged in them.
            steps_per_execution: how many batches one call of a program takes.
            jit_compile: accepted as Keras'; steps are always compiled.
            auto_scale_loss: whether the loss is scaled where the policy is "mixed_float16".

        Raises:
            ValueError: a name is unknown.
        """
        if metrics is None and isinstance(loss_weights, list) and any(isinstance(w, str) for w in loss_weights):
            loss_weights, metrics = None, loss_weights  # compile(optimizer, loss, metrics), as Keras 2 had it
        self.optimizer = optimizers_module.get(optimizer)
        scaled = self.optimizer is None or isinstance(self.optimizer, LossScaleOptimizer)
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16" and not scaled:
            self.optimizer = LossScaleOptimizer(self.optimizer, name="loss_scale_optimizer")
        names = getattr(self, "output_names", None)
        self.loss = loss
        self._compiled_loss = None if loss is None else CompiledLoss(loss, loss_weights, names)
        has_metrics = metrics is not None or weighted_metrics is not None
        self._compiled_metrics = CompiledMetrics(metrics, weighted_metrics, names) if has_metrics else None
        self._loss_tracker = Mean(name="loss")
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                f"compile: steps_per_execution is {steps_per_execution!r}; it takes an integer of 1 or more"
            )
        self.run_eagerly, self.steps_per_execution = run_eagerly, steps_per_execution
        self._compile_arguments = {
            "optimizer": self.optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": False,
        }  # fmt: skip
        self.stop_training, self.compiled, self._functions = False, True, {}
        self._labels, self._traced_for_labels = None, False

    def get_compile_config(self) -> dict | None:
        """What compile was given; None if that cannot be written, or nothing was."""
        if not self.compiled:
            return None
        try:
            return serialize_keras_object(self._compile_arguments)
        except TypeError:
            warnings.warn(
                "The arguments of compile() cannot be saved with the model: some are no Keras objects. Call compile() "
                "again after loading.",
                stacklevel=2,
            )
            return None

    def compile_from_config(self, config: dict) -> None:
        """Compiles it as get_compile_config says."""
        config = deserialize_keras_object(config)
        self.compile(**config)
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list:
        """The metrics: the mean loss, those of the layers, those of compile."""
        own = [] if self._loss_tracker is None else [self._loss_tracker]
        compiled = [] if self._compiled_metrics is None else [self._compiled_metrics]
        trackers = [] if self._compiled_loss is None else self._compiled_loss.trackers
        given = found([(self._compile_arguments or {}).get(key) for key in ("metrics", "weighted_metrics")], Metric)
        others = {id(m) for m in (*own, *compiled, *trackers, *given)}
        held = [m for m in super().metrics if id(m) not in others]
        return [*own, *held, *trackers, *compiled]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Resets all metrics, as is done when an epoch begins."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict:
        """{name: result} of all metrics."""
        results: dict = {}
        for metric in self.metrics:
            value = metric.result()
            results |= value if isinstance(value, dict) else {metric.name: value}
        return results

    # --- one step -----------------------------------------------------------------------------------------------------

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of a batch: of compile, and what layers added.

        Raises:
            ValueError: there is none.
        """
        parts = []
        if self._compiled_loss is not None:
            found = self._compiled_loss(y, y_pred, sample_weight)
            if found is not None:
                parts.append(found)
        parts += [reduce_sum(loss) for loss in self.losses]
        if not parts:
            raise ValueError(
                "No loss to compute. Provide a `loss` argument in `compile()`, or use add_loss in a layer."
            )
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None) -> dict:
        """Updates the metrics of compile by a batch; {name: result} of all metrics."""
        if self._compiled_metrics is not None:
            self._compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _predictions_and_loss(self, data, training: bool):
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=training) if self._call_signature.has_training else self(x)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        self._loss_tracker.update_state(loss, sample_weight=_batch_size(x))
        return x, y, y_pred, sample_weight, loss

    def train_step(self, data) -> dict:
        """One step of training; to be overridden for training of another kind.

        Args:
            data: a batch: x, (x, y) or (x, y, sample_weight).

        Returns:
            {name: result} of the metrics.
        """
        with GradientTape() as tape:
            x, y, y_pred, sample_weight, loss = self._predictions_and_loss(data, True)
            loss = self.optimizer.scale_loss(loss)
        weights = self.trainable_weights
        if weights:
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data) -> dict:
        """One step of evaluation: arguments and result as of train_step."""
        x, y, y_pred, sample_weight, _ = self._predictions_and_loss(data, False)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data):
        """The outputs for a batch."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False) if self._call_signature.has_training else self(x)

    def _step(self, kind: str):
        """The compiled function of train_step, test_step or predict_step, of the parts of a batch."""
        found = self._functions.get(kind)
        if found is None:
            step = getattr(self, f"{kind}_step")

            def step_of_parts(*parts):
                alone = len(parts) == 1 and not isinstance(parts[0], (tuple, list))  # Keras gives x for (x,)
                outputs = (step if self.run_eagerly else converted(step))(parts[0] if alone else parts)
                return outputs if kind == "predict" else _flat(outputs)

            found = step_of_parts if self.run_eagerly else Step(step_of_parts, name=step.__qualname__)
            self._functions[kind] = found
        return found

    def make_train_function(self, force=False) -> None:
        """Forgets the compiled step, so that changes of the model (trainable weights, say) come into effect."""
        if force:
            self._functions.pop("train", None)

    def make_test_function(self, force=False) -> None:
        """As make_train_function, for evaluation."""
        if force:
            self._functions.pop("test", None)

    def make_predict_function(self, force=False) -> None:
        """As make_train_function, for prediction."""
        if force:
            self._functions.pop("predict", None)

    # --- loops --------------------------------------------------------------------------------------------------------

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Trains the model (tf.keras.Model.fit).

        Args:
            x: the inputs: arrays (lists or dicts of them for several inputs), or what gives batches: a dataset, a
                generator, a keras.utils.PyDataset.
            y: the targets, where x is arrays.
            batch_size: examples of a batch, 32 by default, where x is arrays.
            epochs: the number of the epoch to stop before.
            verbose: 0 says nothing, 1 draws a bar, 2 prints a line an epoch; "auto" is 1.
            callbacks: keras.callbacks.Callback objects.
            validation_split: the part at the end of the arrays to validate on.
            validation_data: (x, y), (x, y, sample_weight), or what gives batches, to validate on.
            shuffle: whether each epoch takes the examples in another order.
            class_weight: {class: weight of its examples}.
            sample_weight: a weight for each example.
            initial_epoch: the number of the epoch to begin with.
            steps_per_epoch: batches of an epoch; by default all.
            validation_steps, validation_batch_size: the same for validation.
            validation_freq: after every how many epochs to validate, or a list of their numbers from 1.

        Returns:
            A History; its attribute `history` is {name: values by epoch}.

        Raises:
            ValueError: the model is not compiled, or the data do not fit it.
            InvalidArgumentError: a label is no number of one of the model's classes.

        When an exception ends it, KeyboardInterrupt among them, what was reached stays: the weights, and the epochs so
        far in the attribute `history`.
        """
        self._check_compiled("fit")
        if validation_split and validation_data is None:
            parts, held = train_validation_split((x, y, sample_weight), validation_split)
            (x, y, sample_weight), validation_data = parts, held
        elif validation_data is not None and not isinstance(validation_data, (tuple, list)):
            validation_data = (validation_data, None, None)
        data = batches(x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight)
        loop = self._callbacks(callbacks, verbose, epochs, data, history=True)
        self.stop_training, self._initial_epoch = False, None
        self.history = loop.history
        epoch_logs: dict = {}
        validation: Batches | None = None
        try:
            labels = self._prepared("train", data)
            loop.on_train_begin()
            for epoch in range(self._initial_epoch or initial_epoch, epochs):
                if epoch_logs and data.exhausted:
                    _warn_of_end(data, 0)
                    break
                self.reset_metrics()
                loop.on_epoch_begin(epoch)
                logs = self._epoch("train", data, loop, labels)
                epoch_logs = callbacks_module.plain_logs(self._epoch_logs(logs))
                if validation_data is not None and _validates(epoch, validation_freq):
                    ended = validation is not None and validation.exhausted
                    if validation is None:
                        size = validation_batch_size or batch_size
                        validation = self._validation(validation_data, size, validation_steps)
                    if ended:
                        _warn_of_end(validation, 0)
                    else:
                        found = self._evaluate(validation, loop)
                        epoch_logs |= {f"val_{name}": value for name, value in found.items()}
                loop.on_epoch_end(epoch, epoch_logs)
                if self.stop_training:
                    break
        except BaseException:
            loop.interrupted()
            raise
        if self.optimizer is not None and epochs > 0:
            self.optimizer.finalize_variable_values(self.trainable_weights)
        loop.on_train_end(epoch_logs)
        return self.history

    def _check_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(f"You must call `compile()` before calling `{method}()`.")

    def _callbacks(self, given, verbose, epochs: int, data: Batches, history: bool = False):
        if isinstance(given, callbacks_module.CallbackList):
            return given
        verbose = 1 if verbose == "auto" else int(verbose)
        return callbacks_module.CallbackList(
            given,
            add_history=history,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=epochs,
            steps=data.steps,
            model=self,
        )

    def _validation(self, data, batch_size, steps) -> Batches:
        x, y, sample_weight = unpack_x_y_sample_weight(tuple(data))
        return batches(x, y, sample_weight, batch_size, steps)

    def _prepared(self, kind: str, data: Batches) -> Labels | None:
        """Builds the model for data, and checks the labels among them; what is to check those of batches, if anything.

        A model that cannot be traced here is left to its first step, whose errors tell more.
        """
        checks = self._compiled_loss is not None and all(
            getattr(type(self), name) is getattr(Trainer, name) for name in (f"{kind}_step", "compute_loss")
        )
        outputs = None
        if not self.built or (checks and not self._traced_for_labels):
            outputs = self._traced_outputs(data)
            self._traced_for_labels = checks
        if not checks:
            return None
        if self._labels is None and outputs is not None:
            self._labels = Labels(self._compiled_loss, outputs)
        if self._labels is None or not self._labels.any:
            return None
        whole = data.whole()
        if whole is None:
            return self._labels
        self._labels.check(whole)
        return None

    def _traced_outputs(self, data: Batches):
        """The outputs for data, as tensors without values; None where they are not found."""
        known = getattr(self, "_functional", None) or self
        if hasattr(known, "_outputs_struct"):
            return known._outputs_struct
        if type(self).call is Layer.call:
            return None
        x = optree.tree_map(lambda t: KerasTensor((None, *t.shape[1:]), t.dtype), data.first()[0])
        try:
            return self._traced((x,), {})
        except Exception:
            return None

    def _epoch(self, kind: str, data: Batches, loop, labels: Labels | None = None) -> dict:
        """Runs all batches of an epoch; returns the last one's logs."""
        begin = getattr(loop, f"on_{kind}_batch_begin")
        end = getattr(loop, f"on_{kind}_batch_end")
        step = self._step(kind)
        logs: dict = {}
        count = 0
        for count, batch in enumerate(data.epoch(), 1):
            if labels is not None:
                labels.check(batch)
            begin(count - 1)
            logs = step(*batch)
            end(count - 1, logs)
            if kind == "train" and self.stop_training:
                break
        else:
            if count == 0:
                raise ValueError(EMPTY)
            if data.steps is not None and count < data.steps:
                _warn_of_end(data, count)
        return logs

    def _epoch_logs(self, logs) -> dict:
        """What metrics say at the end of an epoch, if the step gave exactly their names; else what the step gave."""
        results = self.get_metrics_result()
        return dict(sorted((results if isinstance(logs, dict) and set(logs) == set(results) else logs).items()))

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **kwargs,
    ):
        """The loss and the metrics on data.

        Args: as of fit.

        Returns:
            The loss, or [loss, metrics…]; with return_dict {name: value}.
        """
        self._check_compiled("evaluate")
        data = batches(x, y, sample_weight, batch_size, steps)
        logs = self._evaluate(data, self._callbacks(callbacks, verbose, 1, data))
        return logs if return_dict else self._in_order(logs)

    def _evaluate(self, data: Batches, loop) -> dict:
        labels = self._prepared("test", data)
        data.restart()
        self.reset_metrics()
        loop.on_test_begin()
        logs = callbacks_module.plain_logs(self._epoch_logs(self._epoch("test", data, loop, labels)))
        loop.on_test_end(logs)
        return logs

    def _in_order(self, logs: dict):
        """The values of logs, in the order of the metrics."""
        names = [
            name
            for m in self.metrics
            for name in ([s.name for s in m.metrics] if m is self._compiled_metrics else [m.name])
        ]
        values = [logs[name] for name in names if name in logs]
        values += [logs[name] for name in sorted(logs) if name not in names]
        return values[0] if len(values) == 1 else values

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """The outputs for data, as NumPy arrays.

        Args: as of fit; x may also be a dataset or generator of x or of (x, y).
        """
        data = batches(x, None, None, batch_size, steps)
        loop = self._callbacks(callbacks, verbose, 1, data)
        step = self._step("predict")
        found: list = []
        loop.on_predict_begin()
        for number, batch in enumerate(data.epoch()):
            loop.on_predict_batch_begin(number)
            outputs = step(*batch)
            found.append(optree.tree_map(_numpy, outputs))
            loop.on_predict_batch_end(number, {"outputs": outputs})
        loop.on_predict_end()
        if not found:
            raise ValueError(f"predict: {EMPTY}")
        return found[0] if len(found) == 1 else optree.tree_map(lambda *parts: np.concatenate(parts), *found)

    # --- single batches -----------------------------------------------------------------------------------------------

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step of training; the loss and metrics of this batch."""
        self._check_compiled("train_on_batch")
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    f"Arguments `sample_weight` and `class_weight` cannot be specified at the same time. Received: "
                    f"sample_weight={sample_weight!r:.100}, class_weight={class_weight}"
                )
            sample_weight = class_weights(y, class_weight)
        return self._on_batch("train", x, y, sample_weight, return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """One step of evaluation; the loss and metrics of this batch."""
        self._check_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, return_dict)

    def _on_batch(self, kind: str, x, y, sample_weight, return_dict: bool):
        data = (x, y, sample_weight) if sample_weight is not None else (x, y) if y is not None else (x,)
        data = optree.tree_map(tensor_of, data)
        labels = self._prepared(kind, Single(data))
        if labels is not None:
            labels.check(data)
        self.reset_metrics()
        logs = callbacks_module.plain_logs(self._step(kind)(*data))
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x):
        """The outputs for a batch, as NumPy arrays."""
        if isinstance(x, np.ndarray):
            x = tensor_of(x)
        elif not isinstance(x, TensorProtocol):
            x = optree.tree_map(tensor_of, x)
        outputs = self._step("predict")(x)
        return outputs.numpy() if isinstance(outputs, TensorProtocol) else optree.tree_map(_numpy, outputs)


def _numpy(tensor):
    return tensor.numpy() if isinstance(tensor, TensorProtocol) else tensor


def _flat(logs):
    """Logs with the names of dicts in them at the top, as results of metrics that are dicts give them."""
    if not isinstance(logs, dict) or not any(isinstance(value, dict) for value in logs.values()):
        return logs
    flat: dict = {}
    for key, value in sorted(logs.items()):
        flat.update(_flat(value) if isinstance(value, dict) else {key: value})
    return flat


def _batch_size(x):
    leaf = to_tensor(optree.tree_leaves(x)[0])
    size = leaf.shape[0]
    return shape(leaf)[0] if size is None else size


def _warn_of_end(data: Batches, count: int) -> None:
    expected = "" if data.steps is None else f": {data.steps} were expected, {count} came"
    warnings.warn(
        f"Your input ran out of data; interrupting training. Make sure that your dataset or generator can generate at "
        f"least `steps_per_epoch * epochs` batches{expected}.",
        stacklevel=4,
    )


def _validates(epoch: int, frequency) -> bool:
    return (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency
