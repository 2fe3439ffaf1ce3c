"""Every analysis that a plan can name, as a function from material and endpoint to findings."""

import importlib
from collections.abc import Callable

from analysis.plans.declared import Endpoint
from analysis.plans.material import Material
from analysis.plans.outcomes import Findings

Runner = Callable[[Material, Endpoint], Findings]
# Module and function of each analysis; only what a plan names is imported.
PLACES = {
    "obuchowski-rockette": "readers.obuchowski",
    "u-statistics": "designs.u_statistic",
    "delong per reader": "readers.per_reader",
    "mcnemar per reader": "readers.per_reader",
    "clustered per reader": "readers.per_reader",
    "interaction": "designs.interaction",
    "model against readers": "against.all_readers",
    "model against each reader": "against.each_reader",
    "models compared": "models.between",
    "model alone": "models.alone",
    "external sets": "models.external",
    "cross-validation": "models.cross_validated",
    "features": "features.compared_features",
    "calibration": "probabilities.calibrated",
    "decision curve": "probabilities.net_benefit",
    "reading time": "times.read_in",
    "reliance": "relying.relied",
    "agreement": "agreeing.agreed",
    "froc": "locations.localised",
    "mean of column": "columns.means",
    "delong pooled over readers": "pooled.pooled",
    "mcnemar pooled over readers": "pooled.pooled",
}


def runner_of(analysis: str) -> Runner:
    """The function of an analysis of the catalogue."""
    module, name = PLACES[analysis].split(".")
    found: Runner = getattr(importlib.import_module(f"analysis.plans.endpoints.{module}"), name)
    return found
