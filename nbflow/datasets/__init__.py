"""Small, well-known data sets as NumPy arrays (tf.keras.datasets).

`mnist` holds handwritten digits, `fashion_mnist` clothes, `cifar10` and `cifar100` colour pictures, `imdb` and
`reuters` texts, `boston_housing` and `california_housing` tables, `iris` Fisher's flowers. Large files come from the
folder that NBFLOW_DATA_DIR names, from the cache, or from their public address; small ones ship inside the package.
"""

from nbflow.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    iris,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "iris",
    "mnist",
    "reuters",
]
