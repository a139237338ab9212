"""Claims: the paper's and this book's, each with what was measured of it and the verdict that follows.

``zoo/claims/claims.toml`` states the claims and the comparisons that decide them; ``build`` measures them from the zoo's records
and writes one record a claim beside it. A verdict follows from intervals by a rule (``definitions``).
"""

from snnlab.claims.definitions import OUTCOMES, VERDICTS, Claim, Comparison, definitions, verdict
from snnlab.claims.ledger import LEDGER, build, ledger, measure
from snnlab.claims.quantities import Quantity
from snnlab.claims.render import HELD_FIXED, Page, details, forest, fractions, links, page, summary, table

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
    "forest",
    "fractions",
    "ledger",
    "links",
    "measure",
    "page",
    "summary",
    "table",
    "verdict",
]
