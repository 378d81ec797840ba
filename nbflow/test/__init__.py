"""nf.test: gradients against differences, and assertions about arrays."""

from nbflow.test import assertions as assertions
from nbflow.test import gradients as gradients
