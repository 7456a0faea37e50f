//! How long a certificate still holds, in the steps at which somebody is told.

/// Seconds of a day.
pub const DAY_S: i64 = 86_400;

/// How long a certificate still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remaining {
    /// Not any more.
    Over,
    /// At most a day.
    Day,
    /// At most seven days.
    Week,
    /// At most thirty days.
    Month,
    /// More than thirty days.
    Ample,
}

impl Remaining {
    /// Of a certificate that holds until `not_after`; both in seconds since 1970.
    #[must_use]
    pub const fn of(not_after: i64, now: i64) -> Self {
        let left = not_after.saturating_sub(now);
        if left <= 0 {
            Self::Over
        } else if left <= DAY_S {
            Self::Day
        } else if left <= 7 * DAY_S {
            Self::Week
        } else if left <= 30 * DAY_S {
            Self::Month
        } else {
            Self::Ample
        }
    }

    /// What to tell, if anything.
    #[must_use]
    pub const fn warning(self) -> Option<&'static str> {
        match self {
            Self::Ample => None,
            Self::Month => Some("the certificate ends within thirty days; renew it"),
            Self::Week => Some("the certificate ends within seven days; renew it"),
            Self::Day => Some("the certificate ends within a day; renew it now"),
            Self::Over => {
                Some("the certificate has ended: no new connection is accepted with it; renew it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_warned_of_at_thirty_days_seven_days_and_one() {
        for (left_s, expected) in [
            (31 * DAY_S, Remaining::Ample),
            (30 * DAY_S + 1, Remaining::Ample),
            (30 * DAY_S, Remaining::Month),
            (7 * DAY_S + 1, Remaining::Month),
            (7 * DAY_S, Remaining::Week),
            (DAY_S, Remaining::Day),
            (1, Remaining::Day),
            (0, Remaining::Over),
            (-5, Remaining::Over),
        ] {
            assert_eq!(Remaining::of(1_000_000_000 + left_s, 1_000_000_000), expected, "{left_s}");
        }
        assert_eq!(Remaining::of(i64::MIN, i64::MAX), Remaining::Over);
    }
}
