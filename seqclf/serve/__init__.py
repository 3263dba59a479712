"""`seqclf serve`: runs behind HTTP, and a page in which one watches them.

`app` has the addresses, `tensorflow_serving` and `inference_protocol` what is said
there, `desk` answers what waits, `models` takes up new runs, `guard` says who may ask,
`server` runs it all. Needs the extra `serve`, see `extra`.
"""

from seqclf.serve.extra import require_extra
from seqclf.serve.limits import Limits

__all__ = ["Limits", "require_extra"]
