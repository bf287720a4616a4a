from .scored import cross_fit as cross_fit, in_sample as in_sample
