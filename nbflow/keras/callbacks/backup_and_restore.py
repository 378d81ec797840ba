"""BackupAndRestore: lets fit go on where an interrupted one stopped."""

import json
import os
import pathlib
import shutil

from nbflow.keras.callbacks.callback import Callback
from nbflow.keras.callbacks.model_checkpoint import BatchCounter
from nbflow.keras.saving.weights import replaced
from nbflow.public import export


@export("keras.callbacks.BackupAndRestore")
class BackupAndRestore(Callback):
    """Saves the state of training, and goes on from it in the next fit (tf.keras.callbacks.BackupAndRestore).

    The weights, the optimizer's state and the number of the epoch are kept; the model must be built, and compiled as
    before.

    Args:
        backup_dir: a directory for it alone.
        save_freq: "epoch", or after how many batches to save.
        double_checkpoint: whether the state before the last is kept too, for when the last cannot be read.
        delete_checkpoint: whether the directory is removed when training is complete.

    Raises:
        ValueError: backup_dir is empty, or save_freq is something else.
    """

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        self._counter = BatchCounter(save_freq)
        self.backup_dir, self.save_freq = os.fspath(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._epoch = self._batch = 0
        self._weights = os.path.join(self.backup_dir, "latest.weights.h5")
        self._metadata = os.path.join(self.backup_dir, "training_metadata.json")

    def on_train_begin(self, logs=None) -> None:
        """Sets the state that is there, if there is one.

        Raises:
            ValueError: the model is not built, or the files do not fit it.
        """
        if not self.model.built:
            raise ValueError(
                f"To use the BackupAndRestore callback, you model must be built before you call `fit()`. Model "
                f"{self.model} is unbuilt. You can build it beforehand by calling it on a batch of data."
            )
        try:
            self._load()
        except (OSError, ValueError):
            if not os.path.exists(f"{self._weights}.bkp"):
                raise
            for path in (self._weights, self._metadata):
                shutil.copy(f"{path}.bkp", path)
            self._load()

    def _load(self) -> None:
        model = self.model
        if os.path.exists(self._weights):
            if model.optimizer is not None and not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
            model.load_weights(self._weights)
        if os.path.exists(self._metadata):
            with open(self._metadata) as file:
                model._initial_epoch = json.load(file)["epoch"]

    def on_train_batch_end(self, batch, logs=None) -> None:
        """Saves if that is due."""
        self._batch = batch
        if self._counter.is_due():
            self._save()

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Saves if that is due."""
        self._epoch, self._batch = epoch + 1, 0
        if self.save_freq == "epoch":
            self._save()

    def _save(self) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint:
            for path in (self._weights, self._metadata):
                if os.path.exists(path):
                    shutil.copy(path, f"{path}.bkp")
        self.model.save_weights(self._weights, overwrite=True)
        state = json.dumps({"epoch": self._epoch, "batch": self._batch})
        replaced(pathlib.Path(self._metadata), lambda path: path.write_text(state))

    def on_train_end(self, logs=None) -> None:
        """Removes the directory, if that is wanted."""
        if self.delete_checkpoint and os.path.exists(self.backup_dir):
            shutil.rmtree(self.backup_dir)
