"""Commands of `fmb data`: what a survey holds, what is wrong with it, where to get one."""
