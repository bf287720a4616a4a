from .given import Given as Given
from .kept_fits import KeptFits as KeptFits, load_fits as load_fits
from .scored import cross_fit as cross_fit, in_sample as in_sample
