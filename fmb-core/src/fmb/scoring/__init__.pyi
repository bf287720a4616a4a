from .calibration import q_values as q_values
from .folds import assign_folds as assign_folds, group_codes as group_codes, sky_folds as sky_folds
from .ranking import (
    check_finite as check_finite,
    describe as describe,
    percentile as percentile,
    rank as rank,
    rank_survey as rank_survey,
)
