"""Gosper's algorithm: whether a hypergeometric term is a difference, decided over a field of rational functions.

The classical algorithm finds whole shifts between the roots of two polynomials from a resultant. Here both are factored
first, and a shift of one irreducible factor into another is read off their second coefficients.
"""

from functools import reduce
from math import comb

from theory.arithmetic import Terms
from theory.field import Element, Field
from theory.linear import solved
from theory.symbols import n

Polynomial = list[Element]
"""Coefficients of n^0, n^1, ..., the last not 0."""
Powers = dict[Terms, int]


def gosper_certificate(quotient: Element, field: Field) -> Element | None:
    """Return rational y(n) with y(n+1) t(n+1) - y(n) t(n) = t(n) for a term of ratio t(n+1)/t(n), None when there is
    none.

    Gosper's algorithm (Proc. Natl. Acad. Sci. 75, 1978): y = B(n-1) x(n)/C(n) with A(n) x(n+1) - B(n-1) x(n) = C(n).

    >>> field = Field((n,))
    >>> field.expr(gosper_certificate(field(n / (n + 2)), field))  # t = 1/(n (n+1))
    -n - 1
    """
    A, B, C = _normal_form(quotient, field)
    B = _shifted(B, -1)
    degree = _degree(A, B, C, field)
    x = None if degree is None else _solution(A, B, C, degree, field)
    return None if x is None else _value(B, field) * _value(x, field) / _value(C, field)


def _normal_form(quotient: Element, field: Field) -> tuple[Polynomial, Polynomial, Polynomial]:
    """Return A, B, C with quotient = A(n) C(n+1)/(B(n) C(n)) and no whole shift h >= 0 of B meeting A."""
    above, below = _factors(quotient, field)
    C = [field.one]
    for lag, p, r in sorted(_meetings(above, below, field), key=lambda meeting: meeting[0]):
        power = min(above[p], below[r])
        above[p], below[r] = above[p] - power, below[r] - power
        # p(n)/r(n) = p(n)/p(n-lag) = C(n+1)/C(n) with C = p(n-1) ... p(n-lag)
        C = reduce(_times, [_shifted(_polynomial(p, field), -i) for i in range(1, lag + 1)] * power, C)
    A, B = (
        reduce(_times, [_polynomial(p, field) for p, e in side.items() for _ in range(e)], [field.one])
        for side in (above, below)
    )
    scale = quotient * _value(B, field) * _value(C, field)
    scale = scale / (_value(A, field) * _value(_shifted(C, 1), field))
    return [scale * w for w in A], B, C


def _factors(quotient: Element, field: Field) -> tuple[Powers, Powers]:
    """Return the irreducible factors with n of numerator and denominator, with their powers."""
    factors = {f: e for f, e in field.factored(quotient).factors.items() if field.factor(f).has(n)}
    return {f: e for f, e in factors.items() if e > 0}, {f: -e for f, e in factors.items() if e < 0}


def _meetings(above: Powers, below: Powers, field: Field) -> list[tuple[int, Terms, Terms]]:
    """Return all (h, p, r) with p(n) = r(n + h) up to a factor, h >= 0 whole."""
    lags = ((_lag(_polynomial(p, field), _polynomial(r, field), field), p, r) for p in above for r in below)
    return [(lag, p, r) for lag, p, r in lags if lag is not None]


def _lag(p: Polynomial, r: Polynomial, field: Field) -> int | None:
    if len(p) != len(r):
        return None
    p, r = ([w / polynomial[-1] for w in polynomial] for polynomial in (p, r))
    # The coefficient of n^(d-1) in r(n + h) is r_(d-1) + d h.
    lag = field.integer((p[-2] - r[-2]) / (len(p) - 1))
    return lag if lag is not None and lag >= 0 and _shifted(r, lag) == p else None


def _degree(A: Polynomial, B: Polynomial, C: Polynomial, field: Field) -> int | None:
    """Return the highest degree that x can have."""
    high = max(len(A), len(B)) - 1
    candidates = [len(C) - 1 - high]
    if len(A) == len(B) and A[-1] == B[-1]:
        second = field.integer((B[high - 1] - A[high - 1]) / A[-1]) if high else 0
        candidates = [len(C) - high, *([] if second is None else [second])]
    return max((d for d in candidates if d >= 0), default=None)


def _solution(A: Polynomial, B: Polynomial, C: Polynomial, degree: int, field: Field) -> Polynomial | None:
    """Return x of at most the given degree with A(n) x(n+1) - B(n) x(n) = C(n)."""
    columns = []
    for j in range(degree + 1):
        power = [field.zero] * j + [field.one]
        up, down = _times(A, _shifted(power, 1)), _times(B, power)
        columns.append([u - d for u, d in zip(_padded(up, down, field), _padded(down, up, field), strict=True)])
    columns.append(C)
    size = max(map(len, columns))
    rows = [[column[i] if i < len(column) else field.zero for column in columns] for i in range(size)]
    found = solved(rows, degree + 1)
    return None if found is None else [row[0] for row in found]


def _padded(p: Polynomial, other: Polynomial, field: Field) -> Polynomial:
    return p + [field.zero] * (len(other) - len(p))


def _polynomial(terms: Terms, field: Field) -> Polynomial:
    """Return a factor by its coefficients in n."""
    place = field.generators.index(n)
    rows: dict[int, list] = {}
    for powers, weight in terms:
        rows.setdefault(powers[place], []).append(((*powers[:place], 0, *powers[place + 1 :]), weight))
    return [field.polynomial(tuple(rows.get(k, ()))) for k in range(max(rows) + 1)]


def _shifted(p: Polynomial, step: int) -> Polynomial:
    zero = p[0] - p[0]
    return [sum((comb(j, i) * step ** (j - i) * p[j] for j in range(i, len(p))), zero) for i in range(len(p))]


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    zero = p[0] - p[0]
    return [
        sum((p[i] * q[k - i] for i in range(max(0, k - len(q) + 1), min(k, len(p) - 1) + 1)), zero)
        for k in range(len(p) + len(q) - 1)
    ]


def _value(p: Polynomial, field: Field) -> Element:
    """Return the polynomial as an element."""
    x = field(n)
    return reduce(lambda total, w: total * x + w, reversed(p), field.zero)
