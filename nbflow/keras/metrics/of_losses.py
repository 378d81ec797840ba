"""Means of losses as metrics: numbers, margins and probabilities. What each computes stands at its function."""

from nbflow.keras.losses import margins, probabilistic, regression
from nbflow.keras.metrics.means import as_metric

for _title, _function, _name in (
    ("MeanSquaredError", regression.mean_squared_error, None),
    ("MeanAbsoluteError", regression.mean_absolute_error, None),
    ("MeanAbsolutePercentageError", regression.mean_absolute_percentage_error, None),
    ("MeanSquaredLogarithmicError", regression.mean_squared_logarithmic_error, None),
    ("LogCoshError", regression.log_cosh, "logcosh"),
    ("Hinge", margins.hinge, None),
    ("SquaredHinge", margins.squared_hinge, None),
    ("CategoricalHinge", margins.categorical_hinge, None),
    ("KLDivergence", probabilistic.kl_divergence, None),
    ("Poisson", probabilistic.poisson, None),
):
    as_metric(_title, direction="down", name=_name)(_function)
for _title, _function, _further in (
    ("BinaryCrossentropy", probabilistic.binary_crossentropy, "from_logits label_smoothing"),
    ("CategoricalCrossentropy", probabilistic.categorical_crossentropy, "from_logits label_smoothing axis"),
    ("SparseCategoricalCrossentropy", probabilistic.sparse_categorical_crossentropy, "from_logits ignore_class axis"),
):
    as_metric(_title, f"name dtype {_further}", direction="down")(_function)
