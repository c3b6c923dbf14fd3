// Sums of many terms. Adding up n terms one by one is off by up to n / 3 ulp; here eight are added up at a time, then eights of
// these, and so on, LEVELS times: up to 3 ulp a level. The kernel says what a Term is.

// The sums that wait for others: levels[k] has fewer than eight parts of 8^k terms each, but for the last, which has the rest.
alias Levels = array<Term, LEVELS>;

// With term n, counted from 0.
fn with_term(levels: Levels, term: Term, n: u32) -> Levels {
    var sums = levels;
    var carry = term;
    for (var level = 0u; level < LEVELS; level++) { // unroll
        sums[level] += carry;
        let parts = 1u << (3u * (level + 1u)); // const
        let full = level + 1u < LEVELS && (n + 1u) % parts == 0u;
        carry = select(Term(), sums[level], full);
        sums[level] = select(sums[level], Term(), full);
    }
    return sums;
}

fn sum_of(levels: Levels) -> Term {
    var sum = Term();
    for (var level = 0u; level < LEVELS; level++) { // unroll
        sum += levels[level];
    }
    return sum;
}
