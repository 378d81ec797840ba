"""What compiled functions may do outside of themselves: call Python functions, print, read the clock."""

from nbflow.outside import calls, clock, printing
