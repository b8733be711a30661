"""What theorems take on trust, worded once: two theorems that rest on the same fact say so alike."""

GAUSSIAN_LOOP = "model n is fitted to M independent draws from N(mu_{n-1}, V_{n-1}), given model n-1"
SAMPLE_MEAN = "one step: the mean of M draws of model n-1 has conditional mean mu_{n-1} and variance V_{n-1}/M"
SAMPLE_VARIANCE = "one step: the variance of M draws, divisor M-1, has conditional mean V_{n-1}"
CHI_SQUARE = (
    "Cochran: given model n-1, M-1 times the sample variance over V_{n-1} is chi-square with M-1 degrees "
    "of freedom, so that the square of the sample variance has conditional mean (M+1)/(M-1) V_{n-1}^2"
)
ACCUMULATE_LOOP = (
    "model n is fitted by maximum likelihood to n M draws: those of fit n-1, and M independent ones from "
    "N(mu_{n-1}, V_{n-1}), given the past"
)
POOLING = (
    "one step: with m and S the mean and variance (divisor M) of the new draws, "
    "mu_n = mu_{n-1} + (m - mu_{n-1})/n and V_n = (1 - 1/n) V_{n-1} + S/n + (n-1)/n^2 (m - mu_{n-1})^2"
)
MIXED_LOOP = (
    "fit n, by maximum likelihood, sees alpha M independent draws from the source N(mu0, V0) and "
    "(1 - alpha) M from N(mu_{n-1}, V_{n-1}), both whole numbers"
)
GROUP_MEANS = "one step: the mean of k independent draws has the mean of their law and 1/k of its variance"
LEAST_SQUARES = "one step: V_n + (mu_n - mu0)^2 is the mean of (x - mu0)^2 over the draws x of fit n"
WRIGHT_FISHER = "given model n-1, the counts of fit n are multinomial: M draws with the frequencies of model n-1"
