"""California housing: prices of houses in 20,640 districts in 1990 (tf.keras.datasets.california_housing).

Pace, R. and Barry, R. (1997). Sparse spatial autoregressions. Statistics and Probability Letters 33, 291-297.
"""

from nbflow.datasets import files, tables
from nbflow.datasets.mnist import Split

URL = files.STORE + "california_housing.npz"
SHA256 = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
FEATURES = (
    "MedInc",
    "HouseAge",
    "AveRooms",
    "AveBedrms",
    "Population",
    "AveOccup",
    "Latitude",
    "Longitude",
)


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Split, Split]:
    """Loads the districts, as `tf.keras.datasets.california_housing.load_data` does; other arguments see `tables`.

    Args:
        version: "large" for all of them, "small" for the first 600.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: 8 numbers of each district, and the median price in dollars.

    Raises:
        ValueError: version or test_split is none of these.
    """
    if version not in ("small", "large"):
        raise ValueError(f"Argument `version` must be one of 'small', 'large'. Received: version={version}")
    return tables.load(path, URL, SHA256, 20_640, 8, test_split, seed, 600 if version == "small" else None)
