"""Claims: the paper's and this book's, each with what was measured of it and the verdict that follows.

``zoo/claims/claims.toml`` says what is claimed and which comparisons decide it; ``build`` measures it from the zoo's records,
over seeds; the records are beside the definitions. A verdict follows from intervals by a rule (``definitions``), and an earlier
measurement stays visible when a better one takes its place, with the reason.
"""

from snnlab.claims.definitions import OUTCOMES, VERDICTS, Claim, Comparison, definitions, verdict
from snnlab.claims.ledger import LEDGER, build, ledger, measure
from snnlab.claims.quantities import Quantity
from snnlab.claims.render import HELD_FIXED, Page, details, fractions, page, summary, table

__all__ = [
    "HELD_FIXED",
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
    "fractions",
    "ledger",
    "measure",
    "page",
    "summary",
    "table",
    "verdict",
]
