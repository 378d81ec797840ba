"""Boston housing: prices of houses in 506 districts of Boston in 1978 (tf.keras.datasets.boston_housing).

Harrison, D. and Rubinfeld, D. (1978). Hedonic prices and the demand for clean air. One of its columns is made from the
share of Black people among the inhabitants, on the premise that segregation raises prices: prefer california_housing.
"""

from nbflow.datasets import files, tables
from nbflow.datasets.mnist import Split

URL = files.STORE + "boston_housing.npz"
SHA256 = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Split, Split]:
    """Loads the districts, as `tf.keras.datasets.boston_housing.load_data` does; arguments and errors see `tables`.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: 13 numbers of each district, and the median price in 1,000 dollars.
    """
    return tables.load(path, URL, SHA256, 506, 13, test_split, seed)
