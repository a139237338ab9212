"""Claims: the paper's and this book's, each with what was measured of it and the verdict that follows.

``zoo/claims/claims.toml`` says what is claimed and which comparisons decide it; ``build`` measures it from the zoo's records,
over seeds; the records lie beside the definitions. A verdict is a rule applied to intervals (``definitions``), an opinion of
nobody, and an earlier measurement stays visible when a better one takes its place.
"""

from snnlab.claims.definitions import OUTCOMES, VERDICTS, Claim, Comparison, definitions, verdict
from snnlab.claims.ledger import LEDGER, build, ledger, measure
from snnlab.claims.quantities import Quantity
from snnlab.claims.render import Page, details, page, summary, table

__all__ = [
    "LEDGER",
    "OUTCOMES",
    "VERDICTS",
    "Claim",
    "Comparison",
    "Page",
    "Quantity",
    "build",
    "definitions",
    "details",
    "ledger",
    "measure",
    "page",
    "summary",
    "table",
    "verdict",
]
