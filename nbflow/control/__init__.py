"""Branches and loops by hand: cond, case, switch_case, while_loop, scan, foldl, foldr, map_fn, TensorArray."""

from nbflow.control import branches, folds, loops, tensor_array
