"""nf.optimizers, which is nf.keras.optimizers too."""

from nbflow.optimizers import schedules
from nbflow.optimizers.adafactor import Adafactor
from nbflow.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam
from nbflow.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from nbflow.optimizers.family import deserialize, get, serialize
from nbflow.optimizers.ftrl import Ftrl
from nbflow.optimizers.loss_scale import LossScaleOptimizer
from nbflow.optimizers.optimizer import Optimizer
from nbflow.optimizers.sgd import SGD, Lion

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]
